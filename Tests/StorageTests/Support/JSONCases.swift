/// Texts that a reader of JSON must accept (`y`), must refuse (`n`), and may do either with but must survive (`i`), in the manner of Nicolas
/// Seriot's JSONTestSuite. Refused are also: what is no object or array, a member twice, NUL, a byte order mark, more than 32 levels.
struct JSONCase {
    enum Expectation { case accepted, refused, either }

    let name: String
    let text: [UInt8]
    let expectation: Expectation
    /// Refused as a whole file only: inside another value it is one.
    var isScalar: Bool { name.hasPrefix("scalar") }

    static let all: [JSONCase] =
        accepted.map { JSONCase(name: $0, text: Array($1.utf8), expectation: .accepted) }
        + refused.map { JSONCase(name: $0, text: Array($1.utf8), expectation: .refused) }
        + refusedBytes.map { JSONCase(name: $0, text: $1, expectation: .refused) }
        + either.map { JSONCase(name: $0, text: Array($1.utf8), expectation: .either) }

    private static func nested(_ count: Int, _ open: String = "[", _ close: String = "]", inside: String = "") -> String {
        String(repeating: open, count: count) + inside + String(repeating: close, count: count)
    }

    private static let accepted: [(String, String)] = [
        ("object empty", "{}"), ("array empty", "[]"), ("array with spaces", "[ ]"), ("object with spaces", "{ \t\r\n }"),
        ("space around", " \n\t\r[] \n\t\r"), ("newline at the end", "{}\n"), ("CRLF", "{\r\n\"a\":\r\n1\r\n}\r\n"),
        ("array of each type", #"[null, 1, "1", {}, [], true, false, 1.5]"#), ("null", "[null]"), ("true", "[true]"),
        ("false", "[false]"),
        ("several nulls", "[1,null,null,null,2]"), ("array in array", "[[]   ]"), ("string empty", #"[""]"#),
        ("number 0", "[0]"), ("number -0", "[-0]"), ("number -0.0", "[-0.0]"), ("number -1", "[-1]"), ("number 123", "[123]"),
        ("number 0e1", "[0e1]"), ("number 0e+1", "[0e+1]"), ("number 1E22", "[1E22]"), ("number 1E-2", "[1E-2]"),
        ("number 1E+2", "[1E+2]"),
        ("number 1e-2", "[123e-2]"), ("number 123.456e78", "[123.456e78]"), ("number with a space behind", "[4 ]"),
        ("number of many decimals", "[-0.000000000000000000000000000000000000000000000000000000000000000000000000000001]"),
        ("number of many digits", "[1.\(String(repeating: "1", count: 400))]"), ("number 2^63-1", "[9223372036854775807]"),
        ("number -2^63", "[-9223372036854775808]"), ("number 1.7976931348623157e308", "[1.7976931348623157e308]"),
        ("escape of each kind", #"["\"\\\/\b\f\n\r\t"]"#), ("escape é", #"["\u00e9"]"#),
        ("escape É upper case", #"["\u00C9"]"#),
        ("escape backslash and u", #"["\\u0000"]"#), ("escape quote at the end", #"["a\""]"#),
        ("escape pair", #"["\uD83D\uDE00"]"#),
        ("escape last pair", #"["\uDBFF\uDFFF"]"#), ("escape no character", #"["\uFFFF"]"#), ("escape private", #"["\uE000"]"#),
        ("escape U+2028", #"["\u2028\u2029"]"#), ("escape control", #"["\u0001\u001F"]"#), ("escape DEL", #"["\u007F"]"#),
        ("escape slash", #"["\/"]"#), ("escape in a name", #"{"\u0061": 1}"#), ("UTF-8 of two bytes", "[\"é\"]"),
        ("UTF-8 of three bytes", "[\"€\u{FFFF}\"]"), ("UTF-8 of four bytes", "[\"😀\u{10FFFF}\"]"),
        ("DEL as it is", "[\"\u{7F}\"]"),
        ("U+2028 as it is", "[\"\u{2028}\"]"), ("byte order mark in a string", "[\"\u{FEFF}\"]"),
        ("comment in a string", #"["a/*b*/c//d"]"#),
        ("object of one", #"{"a":"b"}"#), ("object of two", #"{"a":1,"b":2}"#), ("name empty", #"{"":0}"#),
        ("names that differ by case", #"{"a":1,"A":2}"#), ("same name in two objects", #"[{"a":1},{"a":2}]"#),
        ("same name inside", #"{"a":{"a":1}}"#), ("name long", "{\"\(String(repeating: "x", count: 5000))\":0}"),
        ("string long", "[\"\(String(repeating: "x", count: 70_000))\"]"),
        ("array long", "[\(String(repeating: "0,", count: 5000))0]"),
        ("30 levels of arrays", nested(30)), ("30 levels of objects", nested(30, "{\"a\":", "}", inside: "1")),
        ("brackets in a string", "[\"\(String(repeating: "[", count: 500))\"]"),
        ("brackets behind a quote", #"["\"[[[[[[[["]"#),
        ("reals", "[1.0,10.25,0.1]"), ("member after space", "{\"a\" \n:\t1}"),
    ]

    private static let refused: [(String, String)] = [
        ("nothing", ""), ("space", " "), ("newline", "\n"), ("scalar number", "1"), ("scalar string", "\"a\""),
        ("scalar null", "null"),
        ("scalar true", "true"), ("word", "a"), ("only {", "{"), ("only [", "["), ("only ]", "]"), ("only }", "}"),
        ("only a quote", "\""),
        ("only a backslash", "\\"), ("only a comma", ","), ("only a colon", ":"), ("only a minus", "-"),
        ("closed wrongly", "[}"),
        ("closed wrongly, object", "{]"), ("crossed", #"[{"a":1]}"#), ("closed twice", "[]]"), ("closed twice, object", "{}}"),
        ("two arrays", "[][]"), ("two objects", "{}{}"), ("text behind", "[]x"), ("comma behind", "[],"),
        ("quote behind", "{}\""),
        ("hash behind", "[] #"), ("NUL behind", "[]\u{0}"), ("array not closed", "[1"),
        ("array not closed after a comma", "[1,"),
        ("array of a comma", "[,]"), ("array with a comma before", "[,1]"), ("array with a comma behind", "[1,]"),
        ("array with two commas", "[1,,2]"), ("array without a comma", "[1 2]"), ("array with a colon", "[1:2]"),
        ("array with a star", "[*]"),
        ("array in parentheses", "(1)"), ("array of strings without a comma", #"["a" "b"]"#),
        ("array not closed inside", "[[1]"),
        ("object not closed", #"{"a":1"#), ("object not closed after a comma", #"{"a":1,"#),
        ("object without a value", #"{"a":}"#),
        ("object without a colon", #"{"a" 1}"#), ("object of a name", #"{"a"}"#), ("object with two colons", #"{"a"::1}"#),
        ("object with a comma for a colon", #"{"a",1}"#), ("object with a comma behind", #"{"a":1,}"#),
        ("object with a comma before", #"{,"a":1}"#),
        ("object with two commas", #"{"a":1,,"b":2}"#), ("object without a comma", #"{"a":1 "b":2}"#),
        ("object without a name", "{:1}"),
        ("name without quotes", "{a:1}"), ("name in single quotes", "{'a':1}"), ("name a number", "{1:1}"),
        ("name null", "{null:1}"),
        ("name an array", "{[]:1}"), ("name with a backquote", "{`a`:1}"), ("equals sign", #"{"a"=1}"#),
        ("semicolon", #"{"a":1;"b":2}"#),
        ("member twice", #"{"a":1,"a":2}"#), ("member twice, same value", #"{"a":1,"a":1}"#),
        ("member twice, escaped", #"{"a":1,"\u0061":1}"#),
        ("member twice inside", #"{"x":[{"a":1,"b":2,"a":3}]}"#), ("name empty twice", #"{"":1,"":1}"#),
        ("number +1", "[+1]"), ("number .5", "[.5]"), ("number -.5", "[-.5]"), ("number 1.", "[1.]"), ("number 1.e1", "[1.e1]"),
        ("number 01", "[01]"), ("number -01", "[-01]"), ("number 00", "[00]"), ("number -", "[-]"), ("number --1", "[--1]"),
        ("number - 1", "[- 1]"),
        ("number 1e", "[1e]"), ("number 1e+", "[1e+]"), ("number 1e-", "[1e-]"), ("number 1e1.5", "[1e1.5]"),
        ("number 1ee1", "[1ee1]"),
        ("number 1.2.3", "[1.2.3]"), ("number 0x1", "[0x1]"), ("number 0b1", "[0b1]"), ("number 1_000", "[1_000]"),
        ("number 1,000 as text", "[1'000]"),
        ("number with a letter", "[1a]"), ("number with a space", "[1 000.0]"), ("number NaN", "[NaN]"),
        ("number nan", "[nan]"),
        ("number Infinity", "[Infinity]"), ("number -Infinity", "[-Infinity]"), ("number inf", "[inf]"),
        ("number 1e999", "[1e999]"),
        ("number -1e999", "[-1e999]"), ("number of full width", "[１]"), ("number 2^63", "[9223372036854775808]"),
        ("number -2^63-1", "[-9223372036854775809]"), ("number of 400 digits", "[1\(String(repeating: "0", count: 400))]"),
        ("literal True", "[True]"), ("literal NULL", "[NULL]"), ("literal tru", "[tru]"), ("literal nul", "[nul]"),
        ("literal fals", "[fals]"),
        ("literal truex", "[truex]"), ("literal undefined", "[undefined]"), ("string not closed", #"["a]"#),
        ("string not closed at all", "[\""),
        ("string in single quotes", "['a']"), ("string with a newline", "[\"a\nb\"]"), ("string with a tab", "[\"a\tb\"]"),
        ("string with a carriage return", "[\"a\rb\"]"), ("string with NUL", "[\"\u{0}\"]"),
        ("string with U+0001", "[\"\u{1}\"]"),
        ("string with U+001F", "[\"\u{1F}\"]"), ("string with a backslash at the end", #"["\"]"#),
        ("escape x", #"["\x00"]"#), ("escape a", #"["\a"]"#),
        ("escape v", #"["\v"]"#), ("escape 0", #"["\0"]"#), ("escape of a quote", #"["\'"]"#), ("escape U", #"["\U0041"]"#),
        ("escape of an emoji", "[\"\\😀\"]"),
        ("escape u of three", #"["\u00e"]"#), ("escape u of none", #"["\u"]"#), ("escape u with g", #"["\u00g0"]"#),
        ("escape u with a sign", #"["\u+041"]"#),
        ("escape u with a space", #"["\u 041"]"#), ("escape u cut", #"["\u004"#), ("escape NUL", #"["\u0000"]"#),
        ("escape NUL in a name", #"{"a\u0000b":1}"#),
        ("surrogate high", #"["\uD800"]"#), ("surrogate low", #"["\uDC00"]"#), ("surrogates swapped", #"["\uDC00\uD800"]"#),
        ("surrogate high twice", #"["\uD800\uD800"]"#), ("surrogate high and a letter", #"["\uD800a"]"#),
        ("surrogate high and n", #"["\uD800\n"]"#),
        ("surrogate high and half", #"["\uD800\uDC0"]"#), ("surrogate high and u", #"["\uD800\u"]"#),
        ("surrogate high at the end", #"["\uDBFF"#),
        ("comment", "[] // no"), ("comment before", "/* no */ []"), ("comment inside", "[1, /* no */ 2]"),
        ("comment of a hash", "[1 # no\n]"),
        ("byte order mark", "\u{FEFF}{}"), ("byte order mark inside", "[\u{FEFF}]"), ("U+00A0", "[\u{A0}]"),
        ("U+2060", "[\u{2060}]"), ("U+2028", "[\u{2028}]"),
        ("form feed", "[\u{C}]"), ("vertical tab", "[\u{B}]"), ("U+0085", "[\u{85}]"), ("NUL", "\u{0}"),
        ("NUL before", "\u{0}[]"), ("NUL inside", "[\u{0}]"),
        ("emoji", "😀"), ("33 levels", nested(33)), ("33 levels of objects", nested(33, "{\"a\":", "}", inside: "1")),
        ("100,000 levels", nested(100_000)),
        ("100,000 open", String(repeating: "[", count: 100_000)),
        ("50,000 objects open", String(repeating: "{\"a\":", count: 50_000)),
        ("many closed and 40 open", "\(String(repeating: "]", count: 100))\(nested(40))"), ("JSON lines", "{}\n{}\n"),
        ("XML", "<a/>"),
        ("YAML", "a: 1\n"), ("scalar string of a brace", "\"{\""), ("dollar", "[$]"), ("ellipsis", "[1, ...]"),
        ("parenthesis", "[(1)]"),
    ]

    private static func quoted(_ bytes: UInt8...) -> [UInt8] { around(bytes, "[\"", "\"]") }

    private static func around(_ bytes: [UInt8], _ start: String, _ end: String) -> [UInt8] {
        Array(start.utf8) + bytes + Array(end.utf8)
    }

    private static let refusedBytes: [(String, [UInt8])] = [
        ("byte FF", quoted(0xFF)), ("byte FE", quoted(0xFE)), ("continuation alone", quoted(0x80)),
        ("continuation too many", quoted(0xC3, 0xA9, 0xA9)),
        ("start of two alone", quoted(0xC3)), ("start of three and one", quoted(0xE2, 0x82)),
        ("start of four and two", quoted(0xF0, 0x9F, 0x98)),
        ("start and a letter", quoted(0xC3, 0x61)), ("Latin-1", quoted(0xE9)), ("overlong slash", quoted(0xC0, 0xAF)),
        ("overlong NUL", quoted(0xC0, 0x80)), ("overlong of two", quoted(0xC1, 0xBF)),
        ("overlong of three", quoted(0xE0, 0x80, 0xAF)),
        ("overlong of four", quoted(0xF0, 0x80, 0x80, 0xAF)), ("of five bytes", quoted(0xF8, 0x88, 0x80, 0x80, 0x80)),
        ("of six bytes", quoted(0xFC, 0x84, 0x80, 0x80, 0x80, 0x80)), ("above U+10FFFF", quoted(0xF4, 0x90, 0x80, 0x80)),
        ("start F5", quoted(0xF5, 0x80, 0x80, 0x80)), ("surrogate U+D800 in UTF-8", quoted(0xED, 0xA0, 0x80)),
        ("surrogate U+DFFF in UTF-8", quoted(0xED, 0xBF, 0xBF)), ("pair in UTF-8", quoted(0xED, 0xA0, 0xBD, 0xED, 0xB8, 0x80)),
        ("bad byte in a name", around([0xFF], "{\"", "\":1}")), ("bad byte outside", [0x5B, 0xFF, 0x5D]),
        ("bad byte behind an escape", around([0xFF], "[\"\\", "\"]")), ("bad byte in a number", [0x5B, 0x31, 0xE5, 0x5D]),
        ("bad byte behind", [0x5B, 0x5D, 0xFF]), ("cut in a character", [0x5B, 0x22, 0xC3]),
        ("UTF-16, little end first", [0xFF, 0xFE, 0x5B, 0, 0x5D, 0]),
        ("UTF-16, big end first", [0xFE, 0xFF, 0, 0x5B, 0, 0x5D]), ("UTF-16 without a mark", [0x5B, 0, 0x5D, 0]),
        ("UTF-32", [0x5B, 0, 0, 0, 0x5D, 0, 0, 0]), ("half a byte order mark", [0xEF, 0xBB, 0x5B, 0x5D]),
        ("4 KiB of zeros", [UInt8](repeating: 0, count: 4096)),
    ]

    private static let either: [(String, String)] = [
        ("number 1e-999", "[1e-999]"), ("number 1e-400", "[123.456e-400]"), ("number 4.9e-324", "[4.9e-324]"),
        ("number of digits beyond a double", "[0.1234567890123456789012345678901234567890]"), ("number 0e999", "[0e999]"),
        ("31 levels", nested(31)),
        ("32 levels", nested(32)), ("number -0e+1", "[-0e+1]"), ("exponent long", "[1e\(String(repeating: "0", count: 300))1]"),
    ]
}
