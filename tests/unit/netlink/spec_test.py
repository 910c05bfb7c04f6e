#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The YNL specification and the UAPI header describe the same interface."""

import copy
import pathlib
import re
import unittest

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[3]
HEADER = ROOT / "kernel/include/uapi/linux/devhost.h"
SPEC = ROOT / "docs/netlink/devhost.yaml"


def header_constants(text):
    """Enumerators and plain defines by name."""
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.S)
    constants = {}
    for name, value in re.findall(r'^#define\s+(\w+)\s+(\d+|".*")$', text, re.M):
        constants[name] = value.strip('"') if value.startswith('"') else int(value)
    for body in re.findall(r"enum\s+\w+\s*\{(.*?)\}", text, re.S):
        value = 0
        for entry in filter(None, (e.strip() for e in body.split(","))):
            name, _, given = (part.strip() for part in entry.partition("="))
            # The only expressions are the usual "_MAX = __..._MAX - 1".
            if given:
                value = constants[given.removesuffix("- 1").strip()] - 1
            constants[name] = value
            value += 1
    return constants


def described(constants):
    """Without what YNL has by construction: unspecified, ends and counts."""
    return {
        name: value
        for name, value in constants.items()
        if not name.endswith("_UNSPEC") and not name.startswith("__") and f"__{name}" not in constants
    }


def header_types(text):
    """The word that an attribute's description starts with is its type."""
    return dict(re.findall(r"@(DEVHOST_A_\w+):\s+(\w+)", text))


def c_name(text):
    return text.upper().replace("-", "_")


def numbered(entries, start):
    value = start
    for entry in entries:
        entry = {"name": entry} if isinstance(entry, str) else entry
        value = entry.get("value", value)
        yield entry, value
        value += 1


def spec_constants(spec):
    family = spec["name"]
    constants = {
        "DEVHOST_GENL_NAME": family,
        "DEVHOST_GENL_VERSION": spec.get("version", 1),
    }
    for group in spec["mcast-groups"]["list"]:
        constants[c_name(f"{family}-mcgrp-{group['name']}")] = group["name"]
    for definition in spec["definitions"]:
        if definition["type"] == "const":
            constants[c_name(f"{family}-{definition['name']}")] = definition["value"]
            continue
        prefix = definition.get("name-prefix", f"{family}-{definition['name']}-")
        for entry, value in numbered(definition["entries"], 0):
            constants[c_name(prefix + entry["name"])] = value
    for attributes in spec["attribute-sets"]:
        for entry, value in numbered(attributes["attributes"], 1):
            constants[c_name(attributes["name-prefix"] + entry["name"])] = value
    operations = spec["operations"]
    for entry, value in numbered(operations["list"], 1):
        constants[c_name(operations["name-prefix"] + entry["name"])] = value
    return constants


class SpecTest(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.text = HEADER.read_text(encoding="utf-8")
        cls.header = header_constants(cls.text)
        cls.spec = yaml.safe_load(SPEC.read_text(encoding="utf-8"))

    def test_the_header_was_read(self):
        self.assertEqual(self.header["DEVHOST_CMD_GUEST_NEW"], 1)
        self.assertEqual(self.header["DEVHOST_A_MAX"], self.header["DEVHOST_A_DENIAL"])
        self.assertGreater(len(self.header), 100)

    def test_values(self):
        self.assertEqual(spec_constants(self.spec), described(self.header))

    def test_values_that_differ_are_found(self):
        swapped = copy.deepcopy(self.spec)
        attributes = swapped["attribute-sets"][1]["attributes"]
        attributes[0], attributes[1] = attributes[1], attributes[0]
        self.assertNotEqual(spec_constants(swapped), described(self.header))

    def test_types(self):
        types = header_types(self.text)
        for attributes in self.spec["attribute-sets"]:
            for entry in attributes["attributes"]:
                name = c_name(attributes["name-prefix"] + entry["name"])
                with self.subTest(name):
                    self.assertEqual(types.get(name, "pad"), entry["type"])

    def test_nests_and_enums_exist(self):
        sets = {attributes["name"] for attributes in self.spec["attribute-sets"]}
        enums = {d["name"] for d in self.spec["definitions"] if d["type"] == "enum"}
        for attributes in self.spec["attribute-sets"]:
            for entry in attributes["attributes"]:
                with self.subTest(attributes["name"], attribute=entry["name"]):
                    self.assertLessEqual({entry.get("nested-attributes")} - {None}, sets)
                    self.assertLessEqual({entry.get("enum")} - {None}, enums)

    def test_notifications(self):
        operations = {entry["name"]: entry for entry in self.spec["operations"]["list"]}
        for name, entry in operations.items():
            with self.subTest(name):
                self.assertEqual(name.endswith("-ntf"), "notify" in entry or "event" in entry)
                self.assertEqual(name.endswith("-ntf"), "do" not in entry)
                if "notify" in entry:
                    self.assertIn("reply", operations[entry["notify"]]["do"])


if __name__ == "__main__":
    unittest.main()
