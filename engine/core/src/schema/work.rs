//! How much work a schema can make of one value, known before it is compiled.
//!
//! A schema of a hundred bytes can have a value checked 2⁶⁴ times: `allOf` of two references to the same place, nested.
//! So the evaluations along the worst path through a value are counted from above: everything that applies to the same
//! place adds up, and of what applies to different places (two properties, two items) only the largest counts.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::limits::{NESTING_MAX, SCHEMA_WORK_MAX};

/// What a reference to something outside of the schema counts for: only published meta-schemas can be meant.
const FOREIGN_WORK: f64 = 1_000.0;
/// Bytes of text that take about as long to look at as one value.
const TEXT_BYTES_PER_VALUE: usize = 64;

/// Evaluations of subschemas on the worst path through a value; an error if they are too many.
pub(super) fn of_schema(schema: &Value) -> Result<f64, String> {
    let graph = Graph::read(schema);
    let order = graph.in_place_order()?;
    let mut below = vec![0.0; graph.places.len()];
    for _ in 0..=NESTING_MAX {
        below = graph.one_level_up(&order, &below);
        if below[ROOT] > SCHEMA_WORK_MAX {
            return Err(format!(
                "checking one value against it can take more than {SCHEMA_WORK_MAX} steps: refer less often to the same parts"
            ));
        }
    }
    Ok(below[ROOT])
}

/// How much there is to look at in a value.
pub(super) fn of_value(value: &Value) -> f64 {
    #[expect(
        clippy::cast_precision_loss,
        reason = "an estimate of something that fits into memory"
    )]
    let size = size(value) as f64;
    size
}

fn size(value: &Value) -> usize {
    let inner = match value {
        Value::String(text) => text.len() / TEXT_BYTES_PER_VALUE,
        Value::Array(items) => items.iter().map(size).sum(),
        Value::Object(fields) => fields
            .iter()
            .map(|(name, value)| name.len() / TEXT_BYTES_PER_VALUE + size(value))
            .sum(),
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
    };
    1 + inner
}

/// The place where a value begins to be checked.
const ROOT: usize = 0;

/// One subschema, and where it leads.
#[derive(Default)]
struct Place {
    /// What applies to the same value.
    same: Vec<usize>,
    foreign: usize,
    /// What applies to one member of an object, of which each member has at most one.
    member: Vec<usize>,
    /// What can apply to each member besides.
    every_member: Vec<usize>,
    /// The same for items of arrays.
    item: Vec<usize>,
    every_item: Vec<usize>,
}

struct Graph<'a> {
    root: &'a Value,
    /// Subschemas that other ones refer to by a name.
    named: Vec<&'a Value>,
    places: Vec<Place>,
    found: Vec<&'a Value>,
    by_address: BTreeMap<*const Value, usize>,
}

impl<'a> Graph<'a> {
    fn read(root: &'a Value) -> Self {
        let mut named = Vec::new();
        collect_named(root, &mut named);
        let mut graph = Self {
            root,
            named,
            places: Vec::new(),
            found: Vec::new(),
            by_address: BTreeMap::new(),
        };
        graph.index(root);
        // Finding a place may find more.
        while graph.places.len() < graph.found.len() {
            let place = graph.place(graph.found[graph.places.len()]);
            graph.places.push(place);
        }
        graph
    }

    fn index(&mut self, schema: &'a Value) -> usize {
        let next = self.found.len();
        let index = *self
            .by_address
            .entry(std::ptr::from_ref(schema))
            .or_insert(next);
        if index == next {
            self.found.push(schema);
        }
        index
    }

    fn place(&mut self, schema: &'a Value) -> Place {
        let mut place = Place::default();
        let Some(keywords) = schema.as_object() else {
            return place;
        };
        for (keyword, value) in keywords {
            let list = match keyword.as_str() {
                "$ref" | "$dynamicRef" | "$recursiveRef" => {
                    self.reference(value, &mut place);
                    continue;
                }
                "allOf" | "anyOf" | "oneOf" | "not" | "if" | "then" | "else"
                | "dependentSchemas" | "dependencies" => &mut place.same,
                "properties" | "additionalProperties" => &mut place.member,
                "patternProperties" | "propertyNames" | "unevaluatedProperties" => {
                    &mut place.every_member
                }
                "items" | "prefixItems" | "additionalItems" => &mut place.item,
                "contains" | "unevaluatedItems" => &mut place.every_item,
                _ => continue,
            };
            let many = matches!(
                keyword.as_str(),
                "dependentSchemas" | "dependencies" | "properties" | "patternProperties"
            );
            match value {
                Value::Array(schemas) => list.extend(schemas.iter().map(|one| self.index(one))),
                Value::Object(schemas) if many => {
                    list.extend(schemas.values().map(|one| self.index(one)));
                }
                one => list.push(self.index(one)),
            }
        }
        place
    }

    /// Every place that a reference can mean. Which of them it does mean depends on identifiers; together they are an
    /// upper bound.
    fn reference(&mut self, reference: &Value, place: &mut Place) {
        let text = reference.as_str().unwrap_or_default();
        let (base, fragment) = text.split_once('#').unwrap_or((text, ""));
        let fragment = unescaped(fragment);
        let mut roots = self.named.clone();
        roots.push(self.root);
        let mut targets: Vec<&'a Value> = roots
            .iter()
            .filter_map(|root| root.pointer(&fragment))
            .collect();
        targets.extend(self.named.iter().filter(|named| {
            ["$anchor", "$dynamicAnchor", "$id", "id"]
                .iter()
                .any(|key| {
                    named[*key]
                        .as_str()
                        .is_some_and(|name| name.trim_start_matches('#') == fragment)
                })
        }));
        if targets.is_empty() || (!base.is_empty() && self.named.is_empty()) {
            place.foreign += 1;
            return;
        }
        let mut targets: Vec<usize> = targets.into_iter().map(|one| self.index(one)).collect();
        targets.sort_unstable();
        targets.dedup();
        place.same.extend(targets);
    }

    /// The places in an order in which what applies to the same value comes first.
    fn in_place_order(&self) -> Result<Vec<usize>, String> {
        let mut waits: Vec<usize> = self.places.iter().map(|place| place.same.len()).collect();
        let mut needed_by = vec![Vec::new(); self.places.len()];
        for (index, place) in self.places.iter().enumerate() {
            for inner in &place.same {
                needed_by[*inner].push(index);
            }
        }
        let mut order: Vec<usize> = (0..waits.len())
            .filter(|index| waits[*index] == 0)
            .collect();
        let mut next = 0;
        while let Some(index) = order.get(next).copied() {
            next += 1;
            for outer in &needed_by[index] {
                waits[*outer] -= 1;
                if waits[*outer] == 0 {
                    order.push(*outer);
                }
            }
        }
        if order.len() == self.places.len() {
            Ok(order)
        } else {
            Err("it refers to itself without going into the value".into())
        }
    }

    /// The work at every place, for values that have one level more than those that `below` is for.
    fn one_level_up(&self, order: &[usize], below: &[f64]) -> Vec<f64> {
        let largest = |places: &[usize]| places.iter().map(|one| below[*one]).fold(0.0, f64::max);
        let sum = |places: &[usize]| places.iter().map(|one| below[*one]).sum::<f64>();
        let mut objects = vec![0.0; self.places.len()];
        let mut arrays = vec![0.0; self.places.len()];
        for index in order {
            let place = &self.places[*index];
            let own =
                1.0 + f64::from(u32::try_from(place.foreign).unwrap_or(u32::MAX)) * FOREIGN_WORK;
            let of = |work: &[f64]| own + place.same.iter().map(|one| work[*one]).sum::<f64>();
            let object = of(&objects) + largest(&place.member) + sum(&place.every_member);
            let array = of(&arrays) + largest(&place.item) + sum(&place.every_item);
            (objects[*index], arrays[*index]) = (object, array);
        }
        objects
            .iter()
            .zip(&arrays)
            .map(|(one, other)| one.max(*other))
            .collect()
    }
}

/// Subschemas with an identifier or an anchor, the root aside.
fn collect_named<'a>(value: &'a Value, named: &mut Vec<&'a Value>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| collect_named(item, named)),
        Value::Object(fields) => {
            if ["$id", "id", "$anchor", "$dynamicAnchor"]
                .iter()
                .any(|key| fields.get(*key).is_some_and(Value::is_string))
            {
                named.push(value);
            }
            fields
                .values()
                .for_each(|inner| collect_named(inner, named));
        }
        _ => {}
    }
}

/// A fragment without percent signs, as far as it has to be read to be found.
fn unescaped(fragment: &str) -> String {
    let mut bytes = Vec::with_capacity(fragment.len());
    let mut rest = fragment.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let digits = after.get(..2).and_then(|two| std::str::from_utf8(two).ok());
        match digits.and_then(|two| u8::from_str_radix(two, 16).ok()) {
            Some(byte) if *first == b'%' => {
                bytes.push(byte);
                rest = &after[2..];
            }
            _ => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// `allOf` of two references to the next, so many times.
    fn doubling(times: usize, around: impl Fn(Value) -> Value) -> Value {
        let mut parts = serde_json::Map::new();
        for number in 0..times {
            let next = json!({ "$ref": format!("#/$defs/p{}", number + 1) });
            let twice = json!({ "allOf": [around(next.clone()), around(next)] });
            parts.insert(format!("p{number}"), twice);
        }
        parts.insert(format!("p{times}"), json!({ "type": "array" }));
        json!({ "$ref": "#/$defs/p0", "$defs": parts })
    }

    #[test]
    fn what_ordinary_schemas_cost_is_small() {
        for (schema, most) in [
            (json!(true), 1.0),
            (
                json!({ "type": "object", "properties": { "a": {}, "b": { "type": "string" } } }),
                2.0,
            ),
            // A tree with as many branches as one likes, of any depth.
            (
                json!({ "properties": { "left": { "$ref": "#" }, "right": { "$ref": "#" } } }),
                200.0,
            ),
            // Any JSON.
            (
                json!({ "anyOf": [{ "type": "string" }, { "items": { "$ref": "#" } },
                    { "additionalProperties": { "$ref": "#" } }] }),
                500.0,
            ),
            (json!({ "$anchor": "a", "items": { "$ref": "#a" } }), 500.0),
            (
                json!({ "$ref": "http://json-schema.org/draft-07/schema#" }),
                2_000.0,
            ),
        ] {
            let work = of_schema(&schema).unwrap_or_else(|error| panic!("{schema}: {error}"));
            assert!(work <= most, "{schema}: {work}");
        }
    }

    #[test]
    fn schemas_that_multiply_are_refused() {
        let nested = json!({ "$defs": { "a": { "allOf": [
            { "items": { "$ref": "#/$defs/a" } }, { "items": { "$ref": "#/$defs/a" } }] } }, "$ref": "#/$defs/a" });
        let by_anchor = json!({ "$defs": { "a": { "$anchor": "x", "allOf": [
            { "items": { "$ref": "#x" } }, { "items": { "$ref": "#x" } }] } }, "$ref": "#x" });
        let by_escape = json!({ "$defs": { "a b": { "allOf": [
            { "items": { "$ref": "#/$defs/a%20b" } }, { "items": { "$ref": "#/$defs/a%20b" } }] } },
            "$ref": "#/$defs/a%20b" });
        for schema in [
            doubling(60, |next| next),
            doubling(60, |next| json!({ "items": next })),
            doubling(60, |next| json!({ "not": next })),
            nested,
            by_anchor,
            by_escape,
        ] {
            let refused = of_schema(&schema).unwrap_err();
            assert!(refused.contains("steps"), "{refused}");
        }
    }

    #[test]
    fn circles_that_do_not_go_into_the_value_are_refused() {
        for schema in [
            json!({ "$ref": "#" }),
            json!({ "allOf": [{ "not": { "$ref": "#" } }] }),
        ] {
            assert!(of_schema(&schema).unwrap_err().contains("refers to itself"));
        }
    }

    #[test]
    fn text_and_values_count() {
        assert!(of_value(&json!([1, 2, [3]])) > 4.0);
        assert!(of_value(&json!("x".repeat(6_400))) > 100.0);
    }
}
