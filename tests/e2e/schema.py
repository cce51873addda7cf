"""schema - holds an object against a JSON Schema: as much of draft 2020-12 as
ours uses, and no word more, so that one we do not know is a failure"""
import re

TYPES = {"string": str, "integer": int, "number": (int, float), "boolean": bool, "null": type(None), "object": dict,
         "array": list}
KNOWN = {"type", "enum", "const", "pattern", "properties", "required", "additionalProperties", "items", "anyOf", "oneOf",
         "$ref", "$schema", "$defs", "title", "description"}


def is_type(value, name):
    if isinstance(value, bool):
        return name == "boolean"
    return isinstance(value, TYPES[name])


def wrong(schema, value, root=None, where="$"):
    """-> what is wrong, "" nothing"""
    root = root or schema
    unknown = set(schema) - KNOWN
    if unknown:
        return "%s: the schema has %s" % (where, unknown)
    if "$ref" in schema:
        target = root
        for part in schema["$ref"].lstrip("#/").split("/"):
            target = target[part]
        return wrong(target, value, root, where)
    types = schema.get("type")
    if types and not any(is_type(value, t) for t in ([types] if isinstance(types, str) else types)):
        return "%s: %r is no %s" % (where, value, types)
    if "enum" in schema and value not in schema["enum"]:
        return "%s: %r is none of the names" % (where, value)
    if "const" in schema and (value != schema["const"] or type(value) is not type(schema["const"])):
        return "%s: %r is not %r" % (where, value, schema["const"])
    if "pattern" in schema and not re.search(schema["pattern"], value):
        return "%s: %r does not look like %s" % (where, value, schema["pattern"])
    if isinstance(value, dict):
        known = schema.get("properties", {})
        for name in schema.get("required", ()):
            if name not in value:
                return "%s: no %s" % (where, name)
        for name, v in value.items():
            if name in known:
                text = wrong(known[name], v, root, "%s.%s" % (where, name))
                if text:
                    return text
            elif schema.get("additionalProperties", True) is False:
                return "%s: there is no '%s'" % (where, name)
    if isinstance(value, list) and "items" in schema:
        for i, v in enumerate(value):
            text = wrong(schema["items"], v, root, "%s[%d]" % (where, i))
            if text:
                return text
    for word, enough in (("anyOf", lambda n: n > 0), ("oneOf", lambda n: n == 1)):
        if word in schema:
            texts = [wrong(s, value, root, where) for s in schema[word]]
            if not enough(texts.count("")):
                # the one that got furthest says most
                return max(texts, key=len) if "" not in texts else "%s: more than one of %s" % (where, word)
    return ""
