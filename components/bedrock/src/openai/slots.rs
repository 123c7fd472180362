//! Reads JSON into the types of a request, in one pass and with a bound on every list.
//!
//! One visitor serves all types, which keeps the component small. Its errors never quote a string:
//! those of derived code would quote all of a long one.

use std::borrow::Cow;
use std::cell::Cell;
use std::fmt;

use gateway::Error;
use serde::Deserialize as _;
use serde::de::{
    DeserializeSeed, Deserializer, Error as DeError, IgnoredAny, MapAccess, SeqAccess, Unexpected,
    Visitor,
};
use serde_json::value::RawValue;

use crate::json::{self, Text, cut, invalid};
use crate::limits::Limit;
use crate::openai::request::Content;

/// An object with known fields. Others are ignored.
pub(crate) trait Object<'a> {
    /// Returns the fields that must be given.
    fn required(&self) -> &'static [&'static str] {
        &[]
    }

    /// Returns the place of the field `name`, if there is one of that name.
    fn slot(&mut self, name: &str) -> Option<Slot<'_, 'a>>;
}

/// Declares objects: for each the fields that must be given, and the slot of every field.
macro_rules! objects {
    ($($object:ident [$($required:literal),*] { $($name:literal: $slot:ident $place:ident),* $(,)? })*) => {
        $(impl<'a> Object<'a> for $object<'a> {
            fn required(&self) -> &'static [&'static str] {
                &[$($required),*]
            }

            fn slot(&mut self, name: &str) -> Option<Slot<'_, 'a>> {
                Some(match name {
                    $($name => Slot::$slot(&mut self.$place),)*
                    _ => return None,
                })
            }
        })*
    };
}

pub(crate) use objects;

/// A place for objects: an option or a list.
pub(crate) trait Objects<'a> {
    /// Adds an object with default values, and returns it.
    fn add(&mut self) -> Option<&mut dyn Object<'a>>;
}

/// A place for content: a text or a list of parts.
pub(crate) trait Contents<'a> {
    /// Stores a text.
    fn set(&mut self, text: Text<'a>);

    /// Stores an empty list of parts, and returns it.
    fn list(&mut self) -> Option<&mut dyn Objects<'a>>;
}

/// The place of a value.
pub(crate) enum Slot<'s, 'a> {
    /// A string.
    Text(&'s mut Text<'a>),
    /// A string or `null`.
    OptionalText(&'s mut Option<Text<'a>>),
    /// A boolean or `null`.
    Flag(&'s mut Option<bool>),
    /// Anything.
    Raw(&'s mut Option<&'a RawValue>),
    /// A string, an array of parts or `null`.
    Content(&'s mut dyn Contents<'a>),
    /// An object or `null`.
    Object(&'s mut dyn Objects<'a>),
    /// An array of objects or `null`.
    List(&'s mut dyn Objects<'a>),
    /// The array of objects that is the value of a field of the body.
    Entries(&'s mut dyn Objects<'a>),
    /// An object in an array, and whether that array is inside another.
    Entry(&'s mut dyn Objects<'a>, bool),
}

/// Reads one value into its slot.
struct Reader<'s, 'a, 'p> {
    slot: Slot<'s, 'a>,
    progress: &'p Progress,
}

/// How much of a field is read.
struct Progress {
    /// The entry of the field's own array that is being read.
    entry: Cell<Option<usize>>,
    /// The entries of the arrays in it, all together.
    parts: Cell<usize>,
    entries_limit: &'static Limit,
    parts_limit: &'static Limit,
    exceeded: Cell<Option<&'static Limit>>,
}

impl<'a, T: Object<'a> + Default> Objects<'a> for Option<T> {
    fn add(&mut self) -> Option<&mut dyn Object<'a>> {
        Some(self.insert(T::default()))
    }
}

impl<'a, T: Object<'a>> Object<'a> for Box<T> {
    fn required(&self) -> &'static [&'static str] {
        (**self).required()
    }

    fn slot(&mut self, name: &str) -> Option<Slot<'_, 'a>> {
        (**self).slot(name)
    }
}

impl<'a, T: Object<'a> + Default> Objects<'a> for Vec<T> {
    fn add(&mut self) -> Option<&mut dyn Object<'a>> {
        self.push(T::default());
        self.last_mut().map(|last| last as &mut dyn Object<'a>)
    }
}

impl<'a, P: Object<'a> + Default> Contents<'a> for Option<Content<'a, P>> {
    fn set(&mut self, text: Text<'a>) {
        *self = Some(Content::Text(text));
    }

    fn list(&mut self) -> Option<&mut dyn Objects<'a>> {
        match self.insert(Content::Parts(Vec::new())) {
            Content::Parts(parts) => Some(parts),
            Content::Text(_) => None,
        }
    }
}

/// Reads the array of objects in the field `name`: at most `entries` of them, with at most `parts` in
/// the arrays inside.
///
/// # Errors
/// A client error that names the first invalid entry.
pub(crate) fn read_list<'a, T: Object<'a> + Default>(
    name: &'static str,
    value: &'a RawValue,
    entries: &'static Limit,
    parts: &'static Limit,
) -> Result<Vec<T>, Error> {
    let mut list = Vec::new();
    fill(name, value, Slot::Entries(&mut list), entries, parts)?;
    Ok(list)
}

/// Reads the object in the field `name`, with at most `parts` objects in its arrays.
///
/// # Errors
/// A client error that names the field.
pub(crate) fn read_object<'a, T: Object<'a> + Default>(
    name: &'static str,
    value: &'a RawValue,
    parts: &'static Limit,
) -> Result<T, Error> {
    let mut object = None;
    fill(name, value, Slot::Object(&mut object), parts, parts)?;
    Ok(object.unwrap_or_default())
}

/// Reads `value` into `slot`, which is a place in the field `name`.
fn fill<'a>(
    name: &'static str,
    value: &'a RawValue,
    slot: Slot<'_, 'a>,
    entries_limit: &'static Limit,
    parts_limit: &'static Limit,
) -> Result<(), Error> {
    let progress = Progress {
        entry: Cell::default(),
        parts: Cell::default(),
        entries_limit,
        parts_limit,
        exceeded: Cell::default(),
    };
    let reader = Reader { slot, progress: &progress };
    reader.read(value).map_err(|error| {
        let place = match progress.entry.get() {
            Some(index) => Cow::Owned(format!("{name}[{index}]")),
            None => Cow::Borrowed(name),
        };
        match progress.exceeded.get() {
            Some(limit) if progress.is_full() => limit.exceeded(name),
            Some(limit) => limit.exceeded(place),
            None => invalid(place, &format!("is malformed: {}", reason(&error))),
        }
    })
}

/// Describes what is wrong with a value, without the position, which is not one in the client's
/// body.
fn reason(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let reason = text.rsplit_once(" at line ").map_or(&*text, |(reason, _)| reason);
    cut(reason)
}

// === impl Progress ===

impl Progress {
    /// Checks whether the field's own array has as many entries as it may have.
    fn is_full(&self) -> bool {
        self.entry.get().is_some_and(|index| index >= self.entries_limit.most)
    }

    /// Counts an object in an array, and returns whether there may be one more.
    fn count(&self, is_part: bool) -> bool {
        let limit = if is_part { self.parts_limit } else { self.entries_limit };
        self.parts.set(self.parts.get() + usize::from(is_part));
        let is_over = if is_part { self.parts.get() > limit.most } else { self.is_full() };
        self.exceeded.set(is_over.then_some(limit));
        !is_over
    }
}

// === impl Reader ===

impl<'a> Reader<'_, 'a, '_> {
    /// Reads all of `value`.
    fn read(self, value: &'a RawValue) -> serde_json::Result<()> {
        self.deserialize(&mut serde_json::Deserializer::from_str(value.get()))
    }
}

impl<'a> DeserializeSeed<'a> for Reader<'_, 'a, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'a>>(self, deserializer: D) -> Result<(), D::Error> {
        match self.slot {
            Slot::Object(_) | Slot::List(_) | Slot::Entries(_) | Slot::Entry(..) => {
                deserializer.deserialize_any(self)
            }
            slot => {
                let value = <&RawValue>::deserialize(deserializer)?;
                if value.get() == "null" && !matches!(slot, Slot::Text(_)) {
                    return Ok(());
                }
                store(value, slot, self.progress).map_err(D::Error::custom)
            }
        }
    }
}

/// Stores `value` in `slot`.
fn store<'a>(value: &'a RawValue, slot: Slot<'_, 'a>, progress: &Progress) -> Result<(), String> {
    let text = || json::text(value).ok_or_else(|| "expected a string".to_owned());
    match slot {
        Slot::Text(place) => *place = text()?,
        Slot::OptionalText(place) => *place = Some(text()?),
        Slot::Flag(place) => {
            *place = Some(match value.get() {
                "true" => true,
                "false" => false,
                _ => return Err("expected a boolean".to_owned()),
            });
        }
        Slot::Raw(place) => *place = Some(value),
        Slot::Content(place) if value.get().starts_with('[') => {
            if let Some(parts) = place.list() {
                let reader = Reader { slot: Slot::List(parts), progress };
                reader.read(value).map_err(|error| reason(&error))?;
            }
        }
        Slot::Content(place) => {
            place.set(json::text(value).ok_or("expected a string or an array of parts")?);
        }
        Slot::Object(_) | Slot::List(_) | Slot::Entries(_) | Slot::Entry(..) => {}
    }
    Ok(())
}

impl<'a> Visitor<'a> for Reader<'_, 'a, '_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self.slot {
            Slot::List(_) | Slot::Entries(_) => "an array",
            _ => "an object",
        })
    }

    fn visit_unit<E: DeError>(self) -> Result<(), E> {
        match self.slot {
            Slot::Entry(..) => Err(E::invalid_type(Unexpected::Unit, &self)),
            _ => Ok(()),
        }
    }

    fn visit_str<E: DeError>(self, _text: &str) -> Result<(), E> {
        Err(E::invalid_type(Unexpected::Other("string"), &self))
    }

    fn visit_seq<A: SeqAccess<'a>>(self, mut list: A) -> Result<(), A::Error> {
        let (place, is_part) = match self.slot {
            Slot::Entries(place) => (place, false),
            Slot::List(place) => (place, true),
            _ => return Err(A::Error::invalid_type(Unexpected::Seq, &self)),
        };
        for index in 0.. {
            if !is_part {
                self.progress.entry.set(Some(index));
            }
            let slot = Slot::Entry(&mut *place, is_part);
            if list.next_element_seed(Reader { slot, progress: self.progress })?.is_none() {
                break;
            }
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<(), A::Error> {
        let place = match self.slot {
            Slot::Entry(_, is_part) if !self.progress.count(is_part) => {
                return Err(A::Error::custom("too many"));
            }
            Slot::Object(place) | Slot::Entry(place, _) => place,
            _ => return Err(A::Error::invalid_type(Unexpected::Map, &self)),
        };
        let Some(object) = place.add() else { return Ok(()) };
        let mut given = Vec::new();
        while let Some(Text(name)) = map.next_key()? {
            let Some(slot) = object.slot(&name) else {
                map.next_value::<IgnoredAny>()?;
                continue;
            };
            if given.contains(&name) {
                return Err(A::Error::custom(format_args!("duplicate field `{name}`")));
            }
            map.next_value_seed(Reader { slot, progress: self.progress })?;
            given.push(name);
        }
        let missing =
            object.required().iter().find(|name| given.iter().all(|given| given != *name));
        missing.map_or(Ok(()), |name| Err(A::Error::custom(format_args!("missing field `{name}`"))))
    }
}

#[cfg(test)]
mod tests;
