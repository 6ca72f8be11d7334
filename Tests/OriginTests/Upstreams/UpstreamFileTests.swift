import Facts
import Registry
import Testing

@testable import Origin

struct UpstreamFileTests {
    private static let a = String(repeating: "ab", count: 32)
    private static let b = String(repeating: "cd", count: 32)

    private static func line(_ version: String, _ checksum: String = a, _ more: String = "") -> String {
        #"{"name":"foo","vers":"\#(version)","deps":[],"cksum":"\#(checksum)","features":{},"yanked":false\#(more)}"#
    }

    private func file(_ lines: String...) throws -> UpstreamFile {
        try UpstreamFile(Array(lines.joined(separator: "\n").utf8), of: CrateName("foo"))
    }

    @Test func `lines are kept byte for byte in the upstream's order, unknown fields and all`() throws {
        let odd = Self.line("2.0.0", Self.b, #","v":99,"new":{"x": [1e400]}"#)
        let file = try file(odd, Self.line("1.0.0"), "")
        #expect(file.lines.map(\.text) == [odd, Self.line("1.0.0")])
        #expect(file.strangers == 0)
    }

    @Test func `what a line tells for the facts is read with it; a line of a newer form tells nothing, and is kept`()
        throws
    {
        let needs =
            #"[{"name":"bar","req":"^1","features":[],"optional":false,"default_features":true,"target":null,"kind":"dev"}]"#
        let full = Self.line("1.0.0", Self.a, #","links":"z","pubtime":"2026-01-02T03:04:05Z""#)
            .replacing(#""deps":[]"#, with: #""deps":\#(needs)"#)
        let lines = try file(full, Self.line("1.1.0"), Self.line("2.0.0", Self.b, #","v":99"#)).lines
        let told = try #require(lines[0].told)
        #expect(told.links == "z" && told.publishedAt?.description == "2026-01-02T03:04:05Z")
        #expect([told.dependencies.normal, told.dependencies.build, told.dependencies.dev] == [0, 0, 1])
        #expect(lines[1].told?.links == nil && lines[1].told?.publishedAt == nil)
        #expect(lines[2].told == nil && lines.count == 3)
    }

    @Test func `a line that names no version is left out, and the first of two equal ones counts`() throws {
        let file = try file("{}", Self.line("1.0.0"), Self.line("1.0.0+b", Self.b), #"{"name":"foo","vers":"x"}"#)
        #expect(file.lines.map(\.version.description) == ["1.0.0"])
        #expect(file.strangers == 2)
    }

    @Test(arguments: [
        "", "\n\n", "<!doctype html><html><body>sorry</body></html>", "{", "null", "[]", "\u{0}\u{1}\u{2}",
        #"{"name":"bar","vers":"1.0.0","cksum":"\#(a)"}"#, #"{"name":"../foo","vers":"1.0.0","cksum":"\#(a)"}"#,
        #"{"name":"foo","vers":"1.0.0","cksum":"00"}"#, #"{"name":"foo","vers":"1","cksum":"\#(a)"}"#,
        #"{"name":"foo","name":"foo","vers":"1.0.0","cksum":"\#(a)"}"#,
    ])
    func `a body that is no index file of the crate is a fault`(body: String) {
        #expect(throws: UpstreamFault.self) { try UpstreamFile(Array(body.utf8), of: CrateName("foo")) }
    }

    @Test(arguments: [("", "is empty"), ("\n", "is empty"), ("<html>", "is it a web page?")])
    func `an empty file is called so`(body: String, words: String) {
        let fault = #expect(throws: UpstreamFault.self) { try UpstreamFile(Array(body.utf8), of: CrateName("foo")) }
        #expect(fault.map { "\($0)".contains(words) } == true, "\(fault as Any)")
    }

    @Test func `bytes that are no UTF-8, and endless files, are faults`() {
        #expect(throws: UpstreamFault.self) { try UpstreamFile([0x7b, 0xff, 0xfe, 0x7d], of: CrateName("foo")) }
        let endless = Array(repeating: "{}", count: UpstreamFile.linesMax + 1).joined(separator: "\n")
        #expect(throws: UpstreamFault.self) { try UpstreamFile(Array(endless.utf8), of: CrateName("foo")) }
    }

    @Test func `I2: a changed checksum is refused, whether the version is held or only remembered`() throws {
        let a = try #require(Checksum(hex: Self.a))
        let held = ["1.0.0": UpstreamMerge.Held(checksum: a, text: Self.line("1.0.0"))]
        let changed = try file(Self.line("1.0.0", Self.b), Self.line("0.9.0", Self.b), Self.line("2.0.0", Self.b))
        let merge = UpstreamMerge(changed, held: held, remembered: ["0.9.0": a])
        #expect(merge.refused.map(\.version.bare) == ["1.0.0", "0.9.0"])
        #expect(merge.added.map(\.version.bare) == ["2.0.0"])
        #expect(merge.replaced.isEmpty && merge.removed.isEmpty)
    }

    @Test func `a yank replaces the line, a deletion removes it, and nothing new is no change`() throws {
        let a = try #require(Checksum(hex: Self.a))
        let held = ["1.0.0", "1.1.0"].reduce(into: [:]) {
            $0[$1] = UpstreamMerge.Held(checksum: a, text: Self.line($1))
        }
        let yanked = Self.line("1.0.0").split(separator: "false").joined(separator: "true")
        let merge = UpstreamMerge(try file(yanked), held: held, remembered: [:])
        #expect(merge.replaced.map(\.isYanked) == [true])
        #expect(merge.removed == ["1.1.0"])
        let same = UpstreamMerge(try file(Self.line("1.1.0"), Self.line("1.0.0")), held: held, remembered: [:])
        #expect(!same.changes && same.refused.isEmpty)
    }
}

struct UpstreamAddressTests {
    @Test(arguments: [
        "file:///etc/passwd", "ftp://h/", "https://", "https://user@h/", "https://u:p@h/", "https://h/?q",
        "https://h/#f",
        "git+https://h/", "h/index", "",
    ])
    func `an index address is read strictly`(text: String) { #expect(UpstreamIndex(text) == nil) }

    @Test func `an index address ends in a slash`() {
        #expect(UpstreamIndex("sparse+https://index.crates.io")?.url == "https://index.crates.io/")
    }
}
