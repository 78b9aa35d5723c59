//! JSON objects in which no member stands twice, at any depth: what two readers could read differently is refused.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// A JSON object without duplicate members, itself and everything in it.
#[derive(Debug)]
pub(crate) struct StrictObject(Map<String, Value>);

impl StrictObject {
    pub(crate) fn into_inner(self) -> Map<String, Value> {
        self.0
    }
}

impl<'de> Deserialize<'de> for StrictObject {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match StrictValue::deserialize(deserializer)?.0 {
            Value::Object(map) => Ok(Self(map)),
            _ => Err(D::Error::custom("not an object")),
        }
    }
}

struct StrictValue(Value);

impl<'de> Deserialize<'de> for StrictValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(StrictVisitor).map(Self)
    }
}

struct StrictVisitor;

impl<'de> Visitor<'de> for StrictVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON without duplicate members")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value).map(Value::Number).ok_or_else(|| E::custom("not a finite number"))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut array = Vec::new();
        while let Some(StrictValue(item)) = items.next_element()? {
            array.push(item);
        }
        Ok(Value::Array(array))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some((name, StrictValue(value))) = members.next_entry::<String, _>()? {
            if map.insert(name, value).is_some() {
                return Err(A::Error::custom("a member stands twice"));
            }
        }
        Ok(Value::Object(map))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<Map<String, Value>> {
        serde_json::from_str::<StrictObject>(text).ok().map(StrictObject::into_inner)
    }

    #[test]
    fn a_member_that_stands_twice_is_refused_at_any_depth() {
        assert!(read(r#"{"a": 1, "b": 2, "a": 1}"#).is_none());
        assert!(read(r#"{"a": {"b": [{"c": 1, "c": 2}]}}"#).is_none());
        assert!(read(r#"{"a": 1, "\u0061": 2}"#).is_none(), "escapes do not hide it");
    }

    #[test]
    fn anything_else_reads_as_serde_json_reads_it() {
        let text = r#"{"a": [1, -2, 3.5, null, true, "x"], "b": {"a": {}}, "c": 18446744073709551615}"#;
        assert_eq!(read(text).map(Value::Object), serde_json::from_str(text).ok());
        assert!(read("[]").is_none());
        assert!(read("").is_none());
    }

    #[test]
    fn depth_is_bounded() {
        let deep = format!(r#"{{"a":{}{}}}"#, "[".repeat(100_000), "]".repeat(100_000));
        assert!(read(&deep).is_none());
    }
}
