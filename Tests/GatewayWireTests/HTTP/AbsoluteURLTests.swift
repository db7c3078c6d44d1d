// URLs and hosts as they are written, the odd ones too.

import GatewayWire
import Testing

@Suite("URLs")
struct AbsoluteURLTests {
    @Test func `all parts are found as they are written`() throws {
        let url = try AbsoluteURL("HTTPS://me:pass@Host.Example:8443/a%2Fb/./c?x=1?y#part#two")
        #expect(url.scheme == "https" && url.isHTTP)
        #expect(url.userInfo == "me:pass")
        #expect(url.authority.text == "Host.Example:8443" && url.authority.host == "Host.Example")
        #expect(url.authority.port == 8443 && url.port == 8443)
        #expect(url.path == "/a%2Fb/./c")
        #expect(url.query == "x=1?y" && url.fragment == "part#two")
        #expect(url.target == "/a%2Fb/./c?x=1?y")
    }

    @Test func `parts that are missing differ from empty ones`() throws {
        let bare = try AbsoluteURL("http://h")
        #expect(bare.userInfo == nil && bare.authority.portText == nil && bare.query == nil && bare.fragment == nil)
        #expect(bare.path.isEmpty && bare.target == "/" && bare.port == 80)
        let empty = try AbsoluteURL("https://@h/?#")
        #expect(empty.userInfo == "" && empty.query == "" && empty.fragment == "" && empty.path == "/")
        #expect(empty.port == 443)
        #expect(try AbsoluteURL("http://h?x").target == "/?x")
    }

    @Test(
        arguments: [
            ("http://[::1]:8000/v1", "::1", 8000), ("http://[fe80::1%25eth0]", "fe80::1%25eth0", 80),
            ("http://[::ffff:10.0.0.1]/", "::ffff:10.0.0.1", 80), ("http://10.0.0.1:65535", "10.0.0.1", 65_535),
            ("http://a_b-c.d.", "a_b-c.d.", 80), ("http://x@y@h:1", "h", 1),
        ]
    )
    func `hosts and ports are found`(_ text: String, _ name: String, _ port: Int) throws {
        let url = try AbsoluteURL(text)
        #expect(url.authority.name == name)
        #expect(url.port == port)
    }

    @Test(
        arguments: [
            "http://", "http:///path", "http://:80", "http://?x", "http://me@", "http://h:", "http://h:0",
            "http://h:65536", "http://h:99999999999999999999", "http://h:+80", "http://h:8o", "http://h:80:80",
            "http://::1", "http://[::1", "http://[::1]x", "http://[::1]:", "http://[]", "http://[name]",
            "http://a%20b", "http://a\\b", "http://a,b", "http://a]b",
        ]
    )
    func `hosts and ports that cannot be are refused`(_ text: String) {
        #expect(throws: AbsoluteURL.Mistake.authority) { try AbsoluteURL(text) }
    }

    @Test(arguments: ["", "h", "/path", "http:/h", "http:h", "//h", "://h", "1http://h", "ht tp://h", "[::1]://"])
    func `texts without a scheme are refused`(_ text: String) {
        #expect(throws: AbsoluteURL.Mistake.noScheme) { try AbsoluteURL(text) }
    }

    @Test(arguments: ["http://h/a b", "http://h/\n", "http://h/\u{7F}", "http://hö/", "http://h/ö", "http://h\t"])
    func `bytes that no URL has are refused`(_ text: String) {
        #expect(throws: AbsoluteURL.Mistake.byte) { try AbsoluteURL(text) }
    }

    @Test func `a part of a text is taken apart like the whole`() throws {
        let text = "see http://h:1/x now"
        let url = try AbsoluteURL(text.split(separator: " ")[1])
        #expect(url.authority.text == "h:1" && url.path == "/x")
    }

    @Test(
        arguments: [
            ("h", "h", nil), ("h:80", "h", "80"), ("[::1]:80", "[::1]", "80"), ("[::1]", "[::1]", nil),
            ("[::1]x", "[::1]x", nil), ("[::1", "[::1", nil), ("a:b:c", "a", "b:c"), ("", "", nil), (":", "", ""),
        ]
    )
    func `an authority is split whatever it is`(_ text: String, _ host: String, _ port: String?) {
        let authority = HTTPAuthority(Substring(text))
        #expect(authority.host == host)
        #expect(authority.portText.map(String.init) == port)
    }
}

@Suite("Names of header lines")
struct HTTPFieldNameTests {
    @Test func `the case of ASCII letters does not matter, anything else does`() {
        #expect("Content-Type".equalsIgnoringCase("content-type"))
        #expect("x-a".equalsIgnoringCase("X-A" as StaticString))
        #expect("OpenAI-Beta".startsIgnoringCase(with: "openai-"))
        #expect(!"x-a".equalsIgnoringCase("x-ab") && !"x-ab".equalsIgnoringCase("x-a"))
        #expect(!"x".startsIgnoringCase(with: "x-"))
        // The bit that tells letters of both cases apart is in other bytes, too.
        #expect(!"a@b".equalsIgnoringCase("a`b") && !"a[b".equalsIgnoringCase("a{b"))
        #expect(!"É".equalsIgnoringCase("é"))
    }
}
