"""The ctypes structs and the constants against what the C compiler makes of papertrade.h."""

from __future__ import annotations

import ctypes
import json
import math
import re
import subprocess
import unittest
from typing import Any

from support import HEADER, DirectoryTest, compiler, header_defines, header_statuses, header_without_comments
from papertrade import _constants, _structs, enums
from papertrade._failures import BY_STATUS
from papertrade._version import VERSION

STRUCTS = {
    name: kind
    for name, kind in vars(_structs).items()
    if isinstance(kind, type) and issubclass(kind, ctypes.Structure) and name.startswith("pt_")
}
ENUMERATIONS = (  # prefix in C, enumeration; PT_BUY and PT_SELL are the sides
    ("SIGNAL_", enums.Signal), ("CONFIDENCE_", enums.Confidence), ("CYCLE_", enums.CycleOutcome), ("", enums.CycleKind), ("", enums.Side),
)


def python_value(name: str) -> Any:
    """What the package says for a constant of the header. KeyError if it does not know it."""
    bare = name[len("PT_"):]
    statuses = {status: number for number, kind in BY_STATUS.items() for status in [status_of(kind.__name__)]}
    if name in statuses:
        return statuses[name]
    if bare.startswith("VERSION_"):
        return int(VERSION.split(".")[["MAJOR", "MINOR", "PATCH"].index(bare[len("VERSION_"):])])
    if bare == "BOUGHT" or bare.startswith("REJECTED_"):
        return enums.Outcome.__members__[bare].value
    for prefix, enumeration in ENUMERATIONS:
        if bare.startswith(prefix) and bare[len(prefix):] in enumeration.__members__:
            return enumeration.__members__[bare[len(prefix):]].value
    return vars(_constants)[bare]


def status_of(class_name: str) -> str:
    return "PT" + re.sub(r"([A-Z])", r"_\1", class_name).upper()


class StructsTest(DirectoryTest):
    def from_c(self, body: str) -> Any:
        """What a C program with this body of main prints, as JSON."""
        source, program = self.directory / "print.c", self.directory / "print"
        source.write_text(
            "#include <papertrade.h>\n#include <stdio.h>\nint main(void) {\nputchar('{');\n"
            f"{body}\nputs(\"\\\"end\\\":0}}\");\nreturn 0;\n}}\n"
        )
        subprocess.run([compiler(), "-std=c99", "-I", str(HEADER.parent), "-o", str(program), str(source)], check=True)
        return json.loads(subprocess.run([str(program)], check=True, stdout=subprocess.PIPE).stdout)

    def test_every_struct_of_the_header_is_mirrored_and_no_other(self) -> None:
        in_header = set(re.findall(r"typedef struct (pt_\w+) \{", header_without_comments()))
        self.assertEqual(in_header, set(STRUCTS))

    def test_every_field_of_the_header_is_mirrored_in_order(self) -> None:
        for name, body in re.findall(r"typedef struct (pt_\w+) \{(.*?)\}", header_without_comments(), flags=re.DOTALL):
            fields = []
            for declaration in body.split(";"):
                for declarator in declaration.split(","):
                    found = re.search(r"(\w+)\s*(\[\d+\])?\s*$", declarator)
                    if found:
                        fields.append(found.group(1))
            with self.subTest(struct=name):
                self.assertEqual([field[0] for field in STRUCTS[name]._fields_], fields)

    def test_sizes_and_offsets_are_those_of_the_c_compiler(self) -> None:
        lines, expected = [], {"end": 0}
        for name, kind in STRUCTS.items():
            lines.append(f'printf("\\"{name}\\":%zu,", sizeof({name}));')
            expected[name] = ctypes.sizeof(kind)
            for field in kind._fields_:
                for what, macro, number in (
                    ("offset", f"offsetof({name}, {field[0]})", getattr(kind, field[0]).offset),
                    ("size", f"sizeof((({name} *)0)->{field[0]})", getattr(kind, field[0]).size),
                ):
                    lines.append(f'printf("\\"{what} {name}.{field[0]}\\":%zu,", {macro});')
                    expected[f"{what} {name}.{field[0]}"] = number
        self.assertEqual(self.from_c("\n".join(lines)), expected)

    def test_every_constant_has_the_value_that_the_c_compiler_gives_it(self) -> None:
        names = [name for name, value in header_defines().items() if name != "PT_ALL_SHARES"]
        self.assertGreater(len(names), 80)
        from_c = self.from_c("\n".join(f'printf("\\"{name}\\":%.17g,", (double){name});' for name in names))
        for name in names:
            with self.subTest(constant=name):
                self.assertEqual(float(python_value(name)), from_c[name])
        self.assertEqual(header_defines()["PT_ALL_SHARES"], "INFINITY")
        self.assertEqual(_constants.ALL_SHARES, math.inf)

    def test_initialisers_write_what_the_init_macros_write(self) -> None:
        cases = {
            "pt_options": "PT_OPTIONS_INIT", "pt_request": "PT_REQUEST_INIT", "pt_order": "PT_ORDER_INIT",
            "pt_opportunity": "PT_OPPORTUNITY_INIT", "pt_cycle_options": "PT_CYCLE_OPTIONS_INIT",
        }
        self.assertEqual(
            set(cases.values()) | {"PT_ANALYSIS_INIT"},  # the library fills that one in
            set(re.findall(r"#define (PT_\w+_INIT)", header_without_comments())),
        )
        body = "".join(
            f"{{ {struct} value = {macro}; const unsigned char *byte = (const unsigned char *)&value; size_t i;"
            f' printf("\\"{struct}\\":\\""); for (i = 0; i < sizeof value; i++) printf("%02x", byte[i]); printf("\\","); }}'
            for struct, macro in cases.items()
        )
        from_c = self.from_c(body)
        for struct in cases:
            self.assertEqual(bytes(STRUCTS[struct].init()).hex(), from_c[struct], struct)


class SectorLimitTest(unittest.TestCase):
    def test_the_arrays_of_an_analysis_hold_their_limits_and_a_nul(self) -> None:
        self.assertGreater(_structs.pt_analysis.reason.size, _constants.TEXT_MAX)
        self.assertGreater(_structs.pt_analysis.sector.size, _constants.SECTOR_MAX)

    def test_the_statuses_of_the_header_were_found(self) -> None:
        self.assertGreater(len(header_statuses()), 40)


if __name__ == "__main__":
    unittest.main()
