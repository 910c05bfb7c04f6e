#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Prints the one block of code in that language that a page has.

usage: printed.py PAGE.md LANGUAGE
"""
import re
import sys


def main():
    page, language = sys.argv[1:]
    text = open(page, encoding="utf-8").read()
    blocks = re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    if len(blocks) != 1:
        sys.exit(f"{page} has {len(blocks)} blocks of {language}, not one")
    print(blocks[0], end="")


if __name__ == "__main__":
    main()
