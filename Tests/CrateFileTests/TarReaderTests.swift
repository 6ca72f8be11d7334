import Testing

@testable import CrateFile

struct TarReaderTests {
    @Test(arguments: [1, 511, 512, 513, .max])
    func `entries come out as they went in, however the stream is cut`(chunkBytesMax: Int) throws {
        let body = [UInt8](repeating: 7, count: 1025)
        let long = "r/" + String(repeating: "é", count: 300)
        let archive = try archive { writer in
            try writer.add(RawEntry("r/", type: "5"))
            try writer.add(RawEntry(long, body: body))
            try writer.add(.pax([("path", "r/b"), ("comment", "none")]))
            try writer.add(RawEntry("r/cut", body: [1]))
            try writer.add(RawEntry(path: Array("a".utf8), magic: Array("ustar\u{0}00".utf8), prefix: "r/deep"))
        }
        var reader = TarReader(BytesSource(archive, chunkBytesMax: chunkBytesMax))
        #expect(try reader.next() == TarEntry(path: "r/", kind: .directory, bytesCount: 0))
        #expect(try reader.next() == TarEntry(path: long, kind: .file, bytesCount: body.count))
        #expect(try reader.body(bytesMax: body.count) == body)
        // The content of this one is left, and must be skipped.
        #expect(try reader.next() == TarEntry(path: "r/b", kind: .file, bytesCount: 1))
        #expect(try reader.next() == TarEntry(path: "r/deep/a", kind: .file, bytesCount: 0))
        #expect(try reader.next() == nil)
        #expect(try reader.next() == nil)
    }

    @Test func `a size in base 256 is read`() throws {
        let size: [UInt8] = [0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 1]
        let archive = try archive { writer in
            let body = [UInt8](repeating: 1, count: 513)
            try writer.add(RawEntry(path: Array("a".utf8), body: body, sizeField: size))
        }
        var reader = TarReader(BytesSource(archive))
        #expect(try reader.next()?.bytesCount == 513)
        #expect(try reader.next() == nil)
    }

    // G7
    @Test func `a PAX size that agrees is fine`() throws {
        let archive = try archive { writer in
            try writer.add(.pax([("size", "3")]))
            try writer.add(RawEntry("a", body: [1, 2, 3]))
        }
        var reader = TarReader(BytesSource(archive))
        #expect(try reader.next()?.bytesCount == 3)
    }

    @Test func `an archive that is cut anywhere is refused`() throws {
        let archive = try archive { try $0.add(RawEntry("a", body: [1])) }
        for count in stride(from: 0, to: archive.count, by: 61) {
            #expect(throws: Objection.self) {
                var reader = TarReader(BytesSource(Array(archive.prefix(count))))
                while try reader.next() != nil {}
            }
        }
    }

    /// The tar archive alone, out of its gzip.
    private func archive(_ fill: (CrateWriter) throws -> Void) throws -> [UInt8] {
        try unpacked(BytesSource(CrateWriter.crate(root: "r", fill)))
    }
}
