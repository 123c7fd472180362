//! A page for the admin, and for holders of keys. The browser calls `/tokens`; this component holds no key,
//! no setting and no store. [Its screens](page/wireframes.md) are drawn before they are written.

use gateway::page::Page;

struct Admin;

impl gateway_spin::Pages for Admin {
    const SLUG: &'static str = "admin";
    const PAGE: Page = PAGE;
}

type Component = gateway_spin::PageComponent<Admin>;
gateway_spin::export!(Component);

/// The page. Its script is one text, in the order of what uses what.
const PAGE: Page = Page {
    path: "/admin",
    html: include_str!("page/index.html"),
    style: concat!(include_str!("page/tokens.css"), include_str!("page/style.css")),
    script: concat!(
        "'use strict';\n",
        include_str!("page/dom.js"),
        include_str!("page/format.js"),
        include_str!("page/api.js"),
        include_str!("page/charts.js"),
        include_str!("page/dialogs.js"),
        include_str!("page/snippets.js"),
        include_str!("page/limits.js"),
        include_str!("page/teams.js"),
        include_str!("page/keys.js"),
        include_str!("page/newkey.js"),
        include_str!("page/why.js"),
        include_str!("page/health.js"),
        include_str!("page/mykey.js"),
        include_str!("page/main.js"),
    ),
};

#[cfg(test)]
mod tests {
    use super::*;

    /// The most bytes of the page.
    const MAX_BYTES: usize = 60 * 1024;

    #[test]
    fn page_is_small_and_has_no_way_to_run_text() {
        let parts = [PAGE.html, PAGE.style, PAGE.script];
        let bytes: usize = parts.iter().map(|part| part.len()).sum();
        assert!(bytes <= MAX_BYTES, "{bytes}");
        for forbidden in ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("]
        {
            assert!(!PAGE.script.contains(forbidden), "{forbidden}");
        }
        for part in parts {
            assert!(!part.contains("https://") && !part.contains(" src="), "{part}");
        }
        for element in ["<style></style>", "<script></script>"] {
            assert_eq!(PAGE.html.matches(element).count(), 1, "{element}");
        }
    }
}
