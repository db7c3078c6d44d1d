// Which proxy a URL goes through: variables, their order, exceptions, and URLs of proxies as libcurl reads them.

import GatewayWire
import ModelGateway
import Testing

@Suite("Proxy rules")
struct ProxyRulesTests {
    private func way(_ url: String, _ environment: [String: String], _ proxy: CurlTransport.Proxy = .environment) throws
        -> String
    {
        switch ProxyRules(proxy, environment: { environment[$0] }).way(to: try AbsoluteURL(url)) {
        case .direct: "direct"
        case .unclear: "unclear"
        case .through(let proxy): proxy.host
        }
    }

    @Test func `the variables are those that libcurl reads`() throws {
        let secure = "https://a.example/"
        let plain = "http://a.example/"
        #expect(try way(secure, [:]) == "direct")
        #expect(try way(secure, ["https_proxy": "http://p1:1"]) == "p1")
        #expect(try way(secure, ["HTTPS_PROXY": "http://p1:1"]) == "p1")
        #expect(try way(secure, ["https_proxy": "p1", "HTTPS_PROXY": "p2", "all_proxy": "p3"]) == "p1")
        #expect(try way(secure, ["all_proxy": "p3", "ALL_PROXY": "p4", "http_proxy": "p5"]) == "p3")
        #expect(try way(secure, ["https_proxy": "", "ALL_PROXY": "p4"]) == "p4")
        #expect(try way(plain, ["https_proxy": "p1"]) == "direct")
        #expect(try way(plain, ["http_proxy": "p1", "all_proxy": "p2"]) == "p1")
        // A client of CGI could set this one.
        #expect(try way(plain, ["HTTP_PROXY": "p1"]) == "direct")
        #expect(try way("http+unix://%2Frun%2Fa.sock/", ["all_proxy": "p1"]) == "direct")
        #expect(try way(secure, ["https_proxy": "gopher://p1"]) == "unclear")
    }

    @Test func `the settings come before the environment, but for the exceptions`() throws {
        let environment = ["https_proxy": "p1", "no_proxy": "b.example"]
        #expect(try way("https://a.example/", environment, .url("p2")) == "p2")
        #expect(try way("https://a.example/", environment, .none) == "direct")
        #expect(try way("https://b.example/", environment, .url("p2")) == "direct")
        #expect(try way("http://a.example/", environment, .url("p2")) == "p2")
    }

    @Test(arguments: [
        ("example.com", "example.com", true), ("example.com", "www.example.com", true),
        ("example.com", "nonexample.com", false), (".example.com", "example.com", true),
        (".example.com", "www.example.com", true), ("example.com.", "example.com", true),
        ("example.com", "example.com.", true), ("EXAMPLE.com", "example.COM", true), ("*", "anything", true),
        ("*.example.com", "www.example.com", false), ("a.example, b.example", "b.example", true),
        ("a.example b.example", "b.example", true), ("10.0.0.1", "10.0.0.1", true), ("10.0.0.1", "10.0.0.11", false),
        ("10.0.0.0/8", "10.1.2.3", true), ("10.0.0.0/8", "11.1.2.3", false), ("10.0.0.0/0", "11.1.2.3", false),
        ("10.0.0.0/33", "10.0.0.0", false), ("127.0.0.1", "localhost", false), ("::1", "::1", true),
        ("fd00::/8", "fd12::1", true), ("fd00::/8", "fe80::1", false), ("", "a.example", false), (",,", "a", false),
    ])
    func `exceptions are understood as libcurl understands them`(list: String, host: String, isExcepted: Bool) throws {
        let name = host.contains(":") ? "[\(host)]" : host
        let expected = isExcepted ? "direct" : "p"
        #expect(try way("https://\(name)/", ["https_proxy": "p", "no_proxy": list]) == expected)
        #expect(try way("https://\(name)/", ["https_proxy": "p", "NO_PROXY": list]) == expected)
    }

    @Test func `the URL of a proxy has a kind, a port and credentials`() throws {
        let plain = try #require(ProxyServer("proxy.example"))
        #expect(plain.kind == .http)
        #expect(plain.port == 1080)
        #expect(plain.authorization == nil)
        let full = try #require(ProxyServer("socks5h://us%20er:pa%3Ass@[::1]:9"))
        #expect(full.kind == .socks5h)
        #expect(full.host == "::1")
        #expect(full.port == 9)
        #expect(full.user == "us er")
        #expect(full.password?.reveal() == "pa:ss")
        #expect(ProxyServer("http://alice@p")?.authorization == "Basic YWxpY2U6")
        #expect(ProxyServer("https://p")?.port == 443)
        #expect(ProxyServer("socks://p")?.kind == .socks4)
        for text in ["", "http://", "ftp://p", "http://p:0", "http://a b"] {
            #expect(ProxyServer(text) == nil, "\(text)")
        }
    }
}
