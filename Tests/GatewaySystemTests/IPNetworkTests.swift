// Addresses of IP and the networks that they are in.

import GatewaySystem
import Testing

@Suite("IP addresses")
struct IPNetworkTests {
    @Test(arguments: ["127.0.0.1", "255.255.255.255", "::1", "2001:db8::1", "fe80::1"])
    func `an address is written as it was read`(text: String) {
        #expect(IPAddress(text)?.description == text)
        #expect(IPAddress("[\(text)]")?.description == text)
        #expect(IPAddress(text).map { IPAddress($0.bytes) } == .some(IPAddress(text)))
    }

    @Test func `IPv4 in IPv6 is IPv4, and zones are left out`() {
        #expect(IPAddress("::ffff:192.0.2.1") == IPAddress("192.0.2.1"))
        #expect(IPAddress("fe80::1%eth0") == IPAddress("fe80::1"))
        for text in ["", "1.2.3", "1.2.3.4.5", "1.2.3.256", "a.example", "::g", "1.2.3.4:80", "[::1]:80"] {
            #expect(IPAddress(text) == nil, "\(text)")
        }
    }

    @Test(arguments: [
        ("10.0.0.0/8", "10.255.0.1", true), ("10.0.0.0/8", "11.0.0.1", false), ("0.0.0.0/0", "203.0.113.9", true),
        ("0.0.0.0/0", "::1", false), ("192.0.2.7", "192.0.2.7", true), ("192.0.2.7", "192.0.2.8", false),
        ("192.0.2.6/31", "192.0.2.7", true), ("192.0.2.7/32", "192.0.2.6", false), ("::/0", "2001:db8::1", true),
        ("2001:db8::/32", "2001:db8:ffff::1", true), ("2001:db8::/32", "2001:db9::1", false),
        ("2001:db8::/64", "2001:db8::ffff:0:0:1", true), ("2001:db8::/65", "2001:db8::8000:0:0:1", false),
        ("2001:db8::1/128", "2001:db8::1", true), ("2001:db8::1/128", "2001:db8::2", false),
        ("10.0.0.0/8", "::ffff:10.1.1.1", true),
    ])
    func `a network contains the addresses with its first bits`(network: String, address: String, isIn: Bool) throws {
        let network = try #require(IPNetwork(network))
        #expect(network.contains(try #require(IPAddress(address))) == isIn)
    }

    @Test(arguments: ["10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/", "10/8", "::/129", "a.example/8", "10.0.0.0/8/8"])
    func `what is not a network is refused`(text: String) {
        #expect(IPNetwork(text) == nil)
    }
}
