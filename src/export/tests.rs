use super::*;
use crate::plan::example;
