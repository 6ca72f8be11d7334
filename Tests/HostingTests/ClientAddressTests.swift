import Testing

@testable import Hosting

struct ClientAddressTests {
    @Test(
        arguments: [
            ("192.0.2.9", "192.0.2.9"), ("  192.0.2.9\t", "192.0.2.9"), ("2001:DB8::9", "2001:db8::9"),
            ("::ffff:192.0.2.9", "192.0.2.9"), ("::1", "::1"), ("fe80:0:0:0:0:0:0:1", "fe80::1"),
            // What stands before the last comma anybody may have written.
            ("203.0.113.1, 192.0.2.9", "192.0.2.9"), ("nonsense,192.0.2.9", "192.0.2.9"),
            ("203.0.113.1,2001:db8::9", "2001:db8::9"),
            // As some balancers write them.
            ("192.0.2.9:4711", "192.0.2.9"), ("[2001:db8::9]:443", "2001:db8::9"), ("[2001:db8::9]", "2001:db8::9"),
        ])
    func `the last address of a header is who asks`(value: String, address: String) {
        #expect(ClientAddress.last(in: value.utf8) == address)
    }

    @Test(
        arguments: [
            "", " ", ",", "203.0.113.1,", "203.0.113.1, ", "unknown", "_hidden", "a.example", "192.0.2", "192.0.2.256",
            "0x7f.1", "192.0.2.9:", "192.0.2.9:port", "192.0.2.9:123456", "[2001:db8::9", "[2001:db8::9]443",
            "2001:db8::9]", "[]", "fe80::1%eth0", "192.0.2.9\u{0}", "192.0.2.9 10.0.0.1", "for=192.0.2.9",
            "\u{FF11}.0.0.1",
            "1:2:3:4:5:6:7:8:9", String(repeating: "1", count: 10_000),
            "192.0.2.9, " + String(repeating: "f", count: 57),
        ])
    func `what is no address is nobody's, and never the address before it`(value: String) {
        #expect(ClientAddress.last(in: value.utf8) == nil)
    }

    @Test func `bytes that are no text are no address`() {
        #expect(ClientAddress.last(in: [0xFF, 0xFE, 0x31]) == nil)
        #expect(ClientAddress.normal("192.0.2.9") == "192.0.2.9" && ClientAddress.normal("192.0.2.9, ") == nil)
    }

    @Test func `a setting that names no header is a problem, and says so`() {
        #expect(ClientAddress.problem(header: nil) == nil && ClientAddress.problem(header: "X-Real-IP") == nil)
        for wrong in ["x forwarded", "x:y", "ä", ""] {
            #expect(ClientAddress.problem(header: wrong)?.contains("no name of a header") == true, "\(wrong)")
        }
    }
}
