"""Every function of the header is bound, with the parameters that it has there."""

from __future__ import annotations

import ctypes
import re
import unittest
from ctypes import POINTER, c_char_p, c_double, c_int32, c_int64, c_size_t, c_uint64, c_void_p
from typing import Any

from support import header_without_comments, needs_library
from papertrade import _structs
from papertrade._library import compatible, library
from papertrade._signatures import SIGNATURES

TYPES: dict[str, Any] = {
    "const char *": c_char_p,
    "pt_status": c_int32,
    "double": c_double,
    "int32_t": c_int32,
    "int64_t": c_int64,
    "uint64_t": c_uint64,
    "size_t": c_size_t,
    "void *": c_void_p,
    "int32_t *": POINTER(c_int32),
    "int64_t *": POINTER(c_int64),
    "size_t *": POINTER(c_size_t),
    "uint64_t *": POINTER(c_uint64),
    "pt_account *": c_void_p,
    "pt_account **": POINTER(c_void_p),
    "pt_lock *": c_void_p,
    "pt_lock **": POINTER(c_void_p),
    "pt_event_fn": _structs.event_fn,
    "pt_cycle_fn": _structs.cycle_fn,
    "pt_analyst_fn": _structs.analyst_fn,
}


def ctype(declaration: str) -> Any:
    """The ctypes type of a parameter or result as the header spells it."""
    declaration = " ".join(declaration.split())
    if declaration in TYPES:
        return TYPES[declaration]
    struct = re.fullmatch(r"(?:const )?(pt_\w+) \*", declaration)
    assert struct, f"the test does not know the type {declaration!r}"
    return POINTER(getattr(_structs, struct.group(1)))


def header_functions() -> dict[str, tuple[Any, tuple[Any, ...]]]:
    text = re.sub(r"^#.*?(?<!\\)$", "", header_without_comments(), flags=re.MULTILINE)
    text = re.sub(r"\{.*?\}", "", text.replace('extern "C" {', ""), flags=re.DOTALL)
    found = {}
    for result, name, parameters in re.findall(r"(const char \*|pt_status )\s*(pt_\w+)\(([^()]*)\);", text):
        kinds = [] if parameters.strip() == "void" else [re.sub(r"\w+\s*$", "", each) for each in parameters.split(",")]
        found[name] = (ctype(result.strip()), tuple(ctype(kind.strip()) for kind in kinds))
    return found


class SignaturesTest(unittest.TestCase):
    def test_every_function_of_the_header_is_bound_and_no_other(self) -> None:
        text = header_without_comments()
        names = set(re.findall(r"\b(pt_\w+)\([^()]*\);", text)) - set(re.findall(r"\(\*(pt_\w+)\)", text))
        self.assertGreater(len(names), 45)
        self.assertEqual(names, set(SIGNATURES))
        self.assertEqual(names, set(header_functions()))

    def test_every_function_is_bound_with_the_result_and_parameters_of_the_header(self) -> None:
        for name, (result, parameters) in header_functions().items():
            with self.subTest(function=name):
                self.assertEqual(len(SIGNATURES[name][1]), len(parameters))
                self.assertEqual(SIGNATURES[name], (result, parameters))

    def test_the_callback_types_are_those_of_the_header(self) -> None:
        found = re.findall(r"typedef (\w+) \(\*(pt_\w+_fn)\)\(([^()]*)\);", header_without_comments())
        self.assertEqual(len(found), 5)
        for result, name, parameters in found:
            kinds = tuple(ctype(re.sub(r"\w+\s*$", "", each).strip()) for each in parameters.split(","))
            mirrored = getattr(_structs, name[len("pt_"):])
            with self.subTest(callback=name):
                self.assertEqual(mirrored._argtypes_, kinds)
                self.assertEqual(mirrored._restype_, None if result == "void" else ctype(result))

    @needs_library
    def test_the_library_exports_every_bound_function(self) -> None:
        for name in SIGNATURES:
            self.assertIsInstance(getattr(library(), name), ctypes._CFuncPtr)

    def test_a_library_is_used_if_it_has_the_same_major_version_and_is_not_older(self) -> None:
        for library_version, package_version, expected in (
            ("0.1.0", "0.1.0", True), ("0.1.9", "0.1.0", True), ("0.1.0", "0.1.9", True), ("0.2.0", "0.1.0", True),
            ("0.1.0", "0.2.0", False), ("1.0.0", "0.1.0", False), ("0.9.0", "1.0.0", False), ("1.10.0", "1.9.0", True),
            ("", "0.1.0", False), ("dev", "0.1.0", False),
        ):
            with self.subTest(library=library_version, package=package_version):
                self.assertIs(compatible(library_version, package_version), expected)


if __name__ == "__main__":
    unittest.main()
