package fermata

import (
	"encoding/json"
	"reflect"
	"strings"
)

// schemaOf is the JSON Schema of a type, as encoding/json writes it.
func schemaOf[T any]() map[string]any {
	return schemaOfType(reflect.TypeFor[T]())
}

func schemaOfType(kind reflect.Type) map[string]any {
	if kind == reflect.TypeFor[json.RawMessage]() {
		return map[string]any{}
	}
	switch kind.Kind() {
	case reflect.String:
		return map[string]any{"type": "string"}
	case reflect.Bool:
		return map[string]any{"type": "boolean"}
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return map[string]any{"type": "integer"}
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return map[string]any{"type": "integer", "minimum": 0}
	case reflect.Float32, reflect.Float64:
		return map[string]any{"type": "number"}
	case reflect.Pointer:
		return map[string]any{"anyOf": []any{schemaOfType(kind.Elem()), map[string]any{"type": "null"}}}
	case reflect.Slice, reflect.Array:
		return map[string]any{"type": "array", "items": schemaOfType(kind.Elem())}
	case reflect.Map:
		return map[string]any{"type": "object", "additionalProperties": schemaOfType(kind.Elem())}
	case reflect.Struct:
		return schemaOfFields(kind)
	default:
		return map[string]any{}
	}
}

func schemaOfFields(kind reflect.Type) map[string]any {
	properties := map[string]any{}
	required := []string{}
	for _, field := range reflect.VisibleFields(kind) {
		if !field.IsExported() || field.Anonymous {
			continue
		}
		name, options, _ := strings.Cut(field.Tag.Get("json"), ",")
		if name == "-" {
			continue
		}
		if name == "" {
			name = field.Name
		}
		schema := schemaOfType(field.Type)
		if about := field.Tag.Get("about"); about != "" {
			schema["description"] = about
		}
		properties[name] = schema
		optional := strings.Contains(options, "omitempty") || strings.Contains(options, "omitzero")
		if !optional && field.Type.Kind() != reflect.Pointer {
			required = append(required, name)
		}
	}
	return map[string]any{
		"type":                 "object",
		"properties":           properties,
		"required":             required,
		"additionalProperties": false,
	}
}
