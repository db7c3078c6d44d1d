// That lists in header values are read as RFC 9110 §5.6.1 writes them.

import GatewayWire
import Testing

@Suite("Lists in header values")
struct HTTPListTests {
    @Test(
        arguments: [
            ("fast, eu", ["fast", "eu"]), ("fast,eu", ["fast", "eu"]), (" fast\t,\t eu ,", ["fast", "eu"]),
            (", ,", []), ("", []), ("one", ["one"]), ("two words, b", ["two words", "b"]),
            (#""a, b", c"#, ["a, b", "c"]), (#""a \"b\"", c"#, [#"a "b""#, "c"]), (#""open, b"#, [#""open"#, "b"]),
            (#"a, "open\"#, ["a", #""open\"#]), (#""""#, []), ("é, ü", ["é", "ü"]),
        ] as [(String, [String])]
    )
    func `B11: elements are trimmed, empty ones are left out, quoted ones are one element`(
        list: String,
        expected: [String]
    ) {
        #expect(HTTPList.values(list) == expected)
    }
}
