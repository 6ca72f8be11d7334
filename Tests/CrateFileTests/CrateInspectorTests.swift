import CrateFile
import Crypto
import Registry
import TestSupport
import Testing

struct CrateInspectorTests {
    let inspector: CrateInspector

    init() throws { inspector = CrateInspector(name: try CrateName("bar"), version: try Version("1.0.0")) }

    @Test func `a good crate is described`() throws {
        let made = MadeCrate("bar", "1.0.0").file("README.md", "# bar")
        let bytes = try made.crate()
        let inspection = try inspector.inspect(bytes)
        #expect(inspection.manifest == made.manifest)
        #expect(inspection.compressedBytes == bytes.count)
        #expect(inspection.entryCount == 3)
        // Three headers with one block of content each, and the two blocks of the end.
        #expect(inspection.unpackedBytes == 8 * 512)
    }

    @Test func `the checksum is that of the whole file`() throws {
        let bytes = try MadeCrate("bar", "1.0.0").crate()
        #expect(try Array(SHA256.hash(data: bytes)) == inspector.inspect(bytes).checksum.bytes)
    }

    @Test func `a file on disk gives the same as its bytes`() async throws {
        try await withTemporaryFolder("crate") { folder in
            let sink = try FileSink(path: "\(folder)/bar.crate")
            let bytes = try MadeCrate("bar", "1.0.0").crate()
            try bytes.withUnsafeBytes(sink.write)
            #expect(try inspector.inspect(path: "\(folder)/bar.crate") == inspector.inspect(bytes))
        }
    }

    // G1...G14 and issue 2, section 5.
    @Test(arguments: HostileCrate.all)
    func `a bad crate is refused`(crate: HostileCrate) throws {
        let bytes = try crate.bytes()
        let objection = #expect(throws: Objection.self) { try inspector.inspect(bytes) }
        #expect(objection?.description.contains(crate.refusal) == true, "\(objection?.description ?? "accepted")")
    }

    // G4: cargo before 1.96 unpacks links, so the type counts even where the path is good.
    @Test func `a link is refused in an imported crate, too`() throws {
        let bytes = try CrateWriter.crate(root: "bar-1.0.0") { writer in
            try writer.add("Cargo.toml", "")
            try writer.add(RawEntry("bar-1.0.0/a", type: "2", linkTarget: "/etc/passwd"))
        }
        let imported = CrateInspector(name: try CrateName("bar"), version: try Version("1.0.0"), rules: .imported)
        #expect(throws: Objection.unexpectedType("Symlink", path: "bar-1.0.0/a")) { try imported.inspect(bytes) }
    }

    // G14
    @Test func `an imported crate may hold what Windows cannot`() throws {
        let bytes = try MadeCrate("bar", "1.0.0").file("src/aux.rs", "").file("SRC/lib.rs", "").crate()
        let imported = CrateInspector(name: try CrateName("bar"), version: try Version("1.0.0"), rules: .imported)
        #expect(try imported.inspect(bytes).entryCount == 4)
        #expect(throws: Objection.self) { try inspector.inspect(bytes) }
    }

    // G13
    @Test func `100,000 entries are accepted`() throws {
        let bytes = try CrateWriter.crate(root: "bar-1.0.0", level: 1) { writer in
            try writer.add("Cargo.toml", "")
            for number in 1..<100_000 { try writer.add(RawEntry("bar-1.0.0/\(number)")) }
        }
        #expect(try inspector.inspect(bytes).entryCount == 100_000)
    }

    @Test func `long names are read in both ways`() throws {
        let long = "bar-1.0.0/" + String(repeating: "a", count: 200)
        let bytes = try CrateWriter.crate(root: "bar-1.0.0") { writer in
            try writer.add("Cargo.toml", "")
            try writer.add(RawEntry(long + "gnu"))
            try writer.add(.pax([("path", long + "pax"), ("size", "1"), ("mtime", "0")]))
            try writer.add(RawEntry("bar-1.0.0/short", body: [1]))
        }
        #expect(try inspector.inspect(bytes).entryCount == 3)
    }

    @Test func `the version in the folder keeps its build metadata`() throws {
        let made = try MadeCrate("bar", "1.0.0+b.1").crate()
        let other = CrateInspector(name: try CrateName("bar"), version: try Version("1.0.0+b.1"))
        #expect(try other.inspect(made).entryCount == 2)
        #expect(throws: Objection.self) { try inspector.inspect(made) }
    }

    @Test func `a walk that is cancelled stops`() throws {
        let bytes = try MadeCrate("bar", "1.0.0").crate()
        #expect(throws: CancellationError.self) { try inspector.inspect(bytes, isCancelled: { true }) }
    }

    @Test func `a missing file is nobody's fault but ours`() {
        #expect(throws: FileFailure.self) { try inspector.inspect(path: "/nowhere/bar.crate") }
    }

    // G8
    @Test func `the limit for unpacked bytes is cargo's`() {
        #expect(CrateInspector.unpackedBytesMax(compressedBytes: 1000) == 512 << 20)
        #expect(CrateInspector.unpackedBytesMax(compressedBytes: 100 << 20) == 2000 << 20)
    }

    @Test func `a refusal shows a path that cannot harm a terminal`() {
        let objection = Objection.repeatedPath("a\u{1B}[2J\u{202E}b" + String(repeating: "x", count: 500))
        #expect(objection.description.contains("a\\u{1b}[2J\\u{202e}b"))
        #expect(objection.description.utf8.count < 300)
    }
}
