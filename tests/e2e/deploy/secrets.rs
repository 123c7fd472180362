//! The rules about secrets, and about the settings in them.

use serde_json::Value;
use settings::Variables;

use super::{Files, all, list};

pub(super) fn secret_variables(files: &Files) -> Vec<String> {
    let variables = list(&files.app()["spec"]["variables"]);
    let from_secret = |name: &str| {
        let variable = variables.iter().find(|variable| variable["name"] == name)?;
        Some(!variable["valueFrom"]["secretKeyRef"].is_null())
    };
    let is_wrong = |(name, is_secret): &(String, bool)| match from_secret(name) {
        Some(from_secret) => from_secret != *is_secret,
        // Every secret is listed, because operators look here for the credentials of a provider.
        None => *is_secret,
    };
    files.settings().into_iter().filter(is_wrong).map(|(name, _)| name).collect()
}

pub(super) fn references(files: &Files) -> Vec<String> {
    let references = files.documents().into_iter().flat_map(|file| all(&file, "secretKeyRef"));
    let is_missing = |reference: &Value| {
        let text = |member: &str| reference[member].as_str().unwrap_or_default().to_owned();
        files.example(&text("name"), &text("key")).is_none()
    };
    references.filter(is_missing).map(|reference| reference.to_string()).collect()
}

pub(super) fn example_secrets(files: &Files) -> Vec<String> {
    let secrets = files.of_kind("Secret").into_iter().flat_map(|secret| all(&secret, "stringData"));
    let values = secrets.flat_map(|data| data.as_object().cloned().unwrap_or_default());
    let is_blank = |text: &str| {
        // A region is no secret.
        text.is_empty() || text == "us-east-1" || (text.contains('<') && text.contains('>'))
    };
    let has_secret = |value: &Value| {
        let lines = value.as_str().unwrap_or("not text").lines();
        lines
            .map(|line| line.split_once('=').map_or(line, |(_, value)| value))
            .any(|text| !is_blank(text))
    };
    values.filter(|(_, value)| has_secret(value)).map(|(key, _)| key).collect()
}

pub(super) fn example_settings(files: &Files) -> Vec<String> {
    let variables = Variables::of_manifest(&files.0["spin.toml"]).unwrap();
    let data = files.named("Secret", "ai-gateway")["stringData"].clone();
    let data = data.as_object().cloned().unwrap_or_default();
    let lines = data.iter().flat_map(|(key, value)| {
        let lines = value.as_str().unwrap_or_default().lines();
        lines.filter_map(move |line| Some((key, line.split_once('=')?.0)))
    });
    let wrong = lines.filter(|(key, name)| variables.holder(name) != Some(key.as_str()));
    wrong.map(|(key, name)| format!("{name} in {key}")).collect()
}
