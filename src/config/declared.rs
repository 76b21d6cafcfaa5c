//! What it takes to declare an option once.
//!
//! In: the declarations of [`options`](super::options). Out: a record for each section, filled from the layers, and the
//! table [`Section`] that everything else is made from: `config show`, the commented file, the manual page, the JSON
//! Schema, the flags and the names of environment variables. Must not: name an option.

use serde::Deserialize as _;
use serde_json::Value as Json;
use toml::de::ValueDeserializer;

use super::kind::{Kind, Shape};

/// A table of the file.
#[derive(Debug)]
pub struct Section {
    pub name: &'static str,
    /// What its options are about, a line each.
    pub about: &'static [&'static str],
    pub options: &'static [Declared],
}

/// An option, as it was declared.
#[derive(Debug)]
pub struct Declared {
    pub section: &'static str,
    pub name: &'static str,
    /// What it does, a line each as they are in the source, with a blank in front. The first paragraph is the help of its flag.
    pub help: &'static [&'static str],
    /// As TOML writes it.
    pub default: &'static str,
    /// Shown in place of a default that says nothing, as TOML writes it.
    pub example: Option<&'static str>,
    /// Environment variable that counts more than the files.
    pub variable: Option<&'static str>,
    /// Flag that counts most, without its hyphens, and the commands that have it.
    pub flag: Option<Flag>,
    /// What the help calls a value: `DURATION`.
    pub value_name: &'static str,
    pub shape: Shape,
    /// Keywords of a JSON Schema.
    pub schema: fn() -> Json,
    /// What is wrong with a value as a flag has it.
    pub check: fn(&str) -> Result<(), String>,
}

/// A flag of an option.
#[derive(Debug, Clone, Copy)]
pub struct Flag {
    pub name: &'static str,
    /// The words that lead to each command: `rules list`.
    pub commands: &'static [&'static str],
}

impl Declared {
    /// The first paragraph of its help, as one line without a final stop.
    pub fn summary(&self) -> String {
        let lines = self.help.iter().map(|line| line.trim()).take_while(|line| !line.is_empty());
        lines.collect::<Vec<_>>().join(" ").trim_end_matches('.').to_owned()
    }

    /// All of its help as one line.
    pub fn text(&self) -> String {
        let lines = self.help.iter().map(|line| line.trim()).filter(|line| !line.is_empty());
        lines.collect::<Vec<_>>().join(" ")
    }
}

/// The first of a list that has one or none: how the macro writes what may be left out.
pub(super) const fn first<T: Copy>(list: &[T]) -> Option<T> {
    if list.is_empty() { None } else { Some(list[0]) }
}

pub(super) const fn shape<K: Kind>(_: &K) -> Shape {
    K::SHAPE
}

pub(super) const fn value_name<K: Kind>(_: &K) -> &'static str {
    K::NAME
}

/// Whether a text, as a flag has it, is a value of this kind.
pub(super) fn check<K: Kind>(kind: &K, text: &str) -> Result<(), String> {
    let raw = K::Raw::deserialize(ValueDeserializer::from(K::SHAPE.of_text(text, 0)));
    kind.value(raw.map_err(|error| error.message().to_owned())?).map(drop)
}

/// Declares the options: for each a field of its section's record, and a row of [`Section`].
///
/// `NAME: TYPE = DEFAULT as TOML, KIND [, example TOML] [, variable NAME] [, flag NAME on [COMMANDS]];` below a doc comment
/// that is the help.
macro_rules! options {
    ($(
        $(#[doc = $about:literal])+
        [$section:ident] $record:ident {
            $(
                $(#[doc = $help:literal])+
                $name:ident: $type:ty = $default:literal, $kind:expr
                    $(, example $example:literal)?
                    $(, variable $variable:literal)?
                    $(, flag $flag:literal on $commands:expr)?;
            )+
        }
    )+) => {
        $(
            $(#[doc = $about])+
            #[derive(Debug, Clone, PartialEq)]
            pub struct $record {
                $($(#[doc = $help])+ pub $name: $type,)+
            }
        )+

        /// Every option of the configuration with its value.
        #[derive(Debug, Clone, PartialEq)]
        pub struct Options {
            $(pub $section: $record,)+
        }

        impl Options {
            /// The values of the layers, and defaults for what is not in them.
            pub(super) fn read(
                layers: &$crate::config::layers::Layers<'_>,
            ) -> Result<Self, $crate::diagnostic::Diagnostic> {
                Ok(Self {
                    $($section: $record {
                        $($name: layers.option(stringify!($section), stringify!($name), $default, &$kind)?,)+
                    },)+
                })
            }
        }

        /// The sections of the file, in its order.
        pub static SECTIONS: &[$crate::config::declared::Section] = &[
            $($crate::config::declared::Section {
                name: stringify!($section),
                about: &[$($about),+],
                options: &[
                    $($crate::config::declared::Declared {
                        section: stringify!($section),
                        name: stringify!($name),
                        help: &[$($help),+],
                        default: $default,
                        example: $crate::config::declared::first(&[$($example)?]),
                        variable: $crate::config::declared::first(&[$($variable)?]),
                        flag: $crate::config::declared::first(&[
                            $($crate::config::declared::Flag { name: $flag, commands: $commands })?
                        ]),
                        value_name: $crate::config::declared::value_name(&$kind),
                        shape: $crate::config::declared::shape(&$kind),
                        schema: || $crate::config::kind::Kind::schema(&$kind),
                        check: |text| $crate::config::declared::check(&$kind, text),
                    },)+
                ],
            },)+
        ];
    };
}
pub(super) use options;
