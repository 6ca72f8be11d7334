import Testing

@testable import Registry

struct JSONValueTests {
    @Test func `a text becomes a tree in the order in which it stands`() throws {
        let value = try JSONValue(parsing: Array(#" {"b":[1,-2.5e+3,true,false,null],"a":{"":"x"}} "#.utf8))
        let object = try #require(value.object)
        #expect(object.members.map(\.key) == ["b", "a"])
        #expect(object["b"] == .array([.number("1"), .number("-2.5e+3"), .bool(true), .bool(false), .null]))
        #expect(object["a"]?.object?[""] == .string("x"))
        #expect(object["c"] == nil)
    }

    @Test(arguments: [
        (#""a\"\\\/\b\f\n\r\t\u00e4""#, "a\"\\/\u{8}\u{C}\n\r\tä"), (#""\ud83d\ude00""#, "😀"), (#""ä😀""#, "ä😀"),
        (#""""#, ""), (#""\u0000""#, "\0"), (#""/""#, "/"),
    ])
    func `strings are read with their escapes`(json: String, text: String) throws {
        #expect(try JSONValue(parsing: Array(json.utf8)) == .string(text))
    }

    @Test(arguments: [
        "", " ", "{", "[1", "[1,]", "[1 2]", "{,}", #"{"a"}"#, #"{"a":}"#, #"{"a":1,}"#, "{a:1}", #"{"a" 1}"#, "01",
        "-", "1.", ".5", "1e", "+1", "NaN", "Infinity", "tru", "nul", "'a'", #""a"#, "\"a\nb\"", #""\x""#, #""\u12""#,
        #""\u12g4""#, #""\ud800""#, #""\ud800\u0041""#, #""\udc00""#, "1 1", "{} x", "\u{FEFF}{}", "[1]]",
        "// a\n1",
    ])
    func `what RFC 8259 does not allow is refused`(json: String) {
        #expect(throws: JSONValue.Invalid.self) { try JSONValue(parsing: Array(json.utf8)) }
    }

    @Test(arguments: [
        #"{"a":1,"a":1}"#, #"[{"b":{"a":1,"c":2,"a":3}}]"#, #"{"a":1,"\u0061":2}"#,
        "{" + (0..<40).map { "\"k\($0 % 39)\":0" }.joined(separator: ",") + "}",
    ])
    func `a repeated key is refused at every level`(json: String) {
        #expect { try JSONValue(parsing: Array(json.utf8)) } throws: { error in
            if case .repeatedKey = (error as? JSONValue.Invalid)?.reason { true } else { false }
        }
    }

    @Test func `an object with many keys finds each`() throws {
        let json = "{" + (0..<500).map { "\"k\($0)\":\($0)" }.joined(separator: ",") + "}"
        let object = try #require(try JSONValue(parsing: Array(json.utf8)).object)
        #expect(object["k0"] == .number("0"))
        #expect(object["k499"] == .number("499"))
        #expect(object["k500"] == nil)
    }

    @Test func `64 levels are read, more are refused`() throws {
        let json = { (depth: Int) in
            Array((String(repeating: "[", count: depth) + String(repeating: "]", count: depth)).utf8)
        }
        #expect(throws: Never.self) { try JSONValue(parsing: json(64)) }
        #expect(throws: JSONValue.Invalid(reason: .tooDeep, offset: 64)) { try JSONValue(parsing: json(65)) }
        #expect(throws: JSONValue.Invalid(reason: .tooDeep, offset: 64)) {
            try JSONValue(parsing: Array(repeating: UInt8(ascii: "["), count: 1 << 20))
        }
    }

    @Test(arguments: [[0x22, 0xFF, 0x22], [0x22, 0xC0, 0x80, 0x22], [0x22, 0xED, 0xA0, 0x80, 0x22]] as [[UInt8]])
    func `text that is no UTF-8 is refused`(bytes: [UInt8]) {
        #expect(throws: JSONValue.Invalid(reason: .notUTF8, offset: 1)) { try JSONValue(parsing: bytes) }
    }
}
