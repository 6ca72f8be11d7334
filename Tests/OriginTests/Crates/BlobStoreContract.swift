import Crypto
import Foundation
import NIOCore
import Registry
import TestSupport
import Testing

@testable import Origin

/// What every blob backend must do; a new backend is one more case.
enum BlobBackend: CaseIterable {
    case disk

    func with(_ body: (any BlobStore) async throws -> Void) async throws {
        switch self {
        case .disk:
            try await withTemporaryFolder("blobs") { folder in
                try await body(DiskBlobs(folder: folder, logger: .test))
            }
        }
    }
}

@Suite struct BlobStoreContract {
    @Test(arguments: BlobBackend.allCases) func `what was committed is read back`(backend: BlobBackend) async throws {
        try await backend.with { blobs in
            let bytes = [UInt8](repeating: 42, count: 3 * BlobPiece.bytesMax + 17)
            let checksum = try await put(bytes, cutAt: 100_001, into: blobs)
            #expect(try await blobs.size(checksum) == bytes.count)
            #expect(try await read(checksum, from: blobs) == bytes)
        }
    }

    @Test(arguments: BlobBackend.allCases) func `an empty blob is a blob`(backend: BlobBackend) async throws {
        try await backend.with { blobs in
            let checksum = try await put([], cutAt: 1, into: blobs)
            #expect(try await read(checksum, from: blobs) == [])
        }
    }

    @Test(arguments: BlobBackend.allCases) func `what is absent is nil, not an error`(backend: BlobBackend) async throws
    {
        try await backend.with { blobs in
            let absent = try #require(Checksum(bytes: [UInt8](repeating: 9, count: 32)))
            #expect(try await blobs.size(absent) == nil)
            #expect(try await blobs.open(absent) == nil)
            #expect(try await blobs.contains(absent) == false)
            #expect(try await blobs.delete(absent) == false)
        }
    }

    @Test(arguments: BlobBackend.allCases) func `bytes under a false name are refused`(backend: BlobBackend)
        async throws
    {
        try await backend.with { blobs in
            let false0 = try #require(Checksum(bytes: [UInt8](repeating: 0, count: 32)))
            let writer = try await blobs.begin()
            try await writer.write(ByteBuffer(string: "hello"))
            await #expect(throws: BlobError.self) { try await writer.commit(false0) }
            await writer.discard()
            #expect(try await blobs.list(after: nil, limit: 10).isEmpty)
        }
    }

    @Test(arguments: BlobBackend.allCases) func `the same bytes twice are one blob`(backend: BlobBackend) async throws {
        try await backend.with { blobs in
            async let one = put([1, 2, 3], cutAt: 2, into: blobs)
            async let other = put([1, 2, 3], cutAt: 1, into: blobs)
            let checksums = try await [one, other]
            #expect(try await blobs.list(after: nil, limit: 10) == [checksums[0]])
            #expect(checksums[0] == checksums[1])
        }
    }

    @Test(arguments: BlobBackend.allCases) func `a reader outlives the deletion`(backend: BlobBackend) async throws {
        try await backend.with { blobs in
            let checksum = try await put([1, 2, 3], cutAt: 3, into: blobs)
            let reader = try #require(try await blobs.open(checksum))
            #expect(try await blobs.delete(checksum))
            #expect(try await blobs.contains(checksum) == false)
            #expect(try await reader.next().map { Array($0.readableBytesView) } == [1, 2, 3])
        }
    }

    @Test(arguments: BlobBackend.allCases) func `pages list every blob once, in order`(backend: BlobBackend)
        async throws
    {
        try await backend.with { blobs in
            var all: [Checksum] = []
            for byte in UInt8(0)..<20 { all.append(try await put([byte], cutAt: 1, into: blobs)) }
            var listed: [Checksum] = []
            while true {
                let page = try await blobs.list(after: listed.last, limit: 3)
                listed += page
                if page.count < 3 { break }
            }
            #expect(listed == all.sorted { "\($0)" < "\($1)" })
        }
    }

    @Test(arguments: BlobBackend.allCases) func `many drafts are committed together`(backend: BlobBackend) async throws
    {
        try await backend.with { blobs in
            try await blobs.commit([])
            var drafts: [BlobDraft] = []
            // The first and the last are the same bytes, as two crates' files may be.
            for byte in [1, 2, 3, 1] as [UInt8] { drafts.append(try await draft(byte, in: blobs)) }
            try await blobs.commit(drafts)
            for byte in [1, 2, 3] as [UInt8] {
                let checksum = try #require(Checksum(bytes: SHA256.hash(data: [byte])))
                #expect(try await read(checksum, from: blobs) == [byte])
            }
            #expect(try await blobs.list(after: nil, limit: 10).count == 3)
        }
    }

    @Test(arguments: BlobBackend.allCases) func `one draft under a false name is an error for all`(backend: BlobBackend)
        async throws
    {
        try await backend.with { blobs in
            let good = try await draft(1, in: blobs)
            let bad = BlobDraft(writer: try await draft(2, in: blobs).writer, checksum: good.checksum)
            await #expect(
                throws: BlobError.checksumDiffers(expected: good.checksum, found: bad.writer.written.checksum)
            ) {
                try await blobs.commit([good, bad])
            }
            #expect(try await blobs.contains(bad.writer.written.checksum) == false)
        }
    }

    private func draft(_ byte: UInt8, in blobs: any BlobStore) async throws -> BlobDraft {
        let writer = try await blobs.begin()
        try await writer.write(ByteBuffer(bytes: [byte]))
        return BlobDraft(writer: writer, checksum: writer.written.checksum)
    }

    private func put(_ bytes: [UInt8], cutAt step: Int, into blobs: any BlobStore) async throws -> Checksum {
        let writer = try await blobs.begin()
        for start in stride(from: 0, to: bytes.count, by: step) {
            try await writer.write(ByteBuffer(bytes: bytes[start..<min(bytes.count, start + step)]))
        }
        let checksum = try #require(Checksum(bytes: SHA256.hash(data: bytes)))
        #expect(writer.written == BlobDigest(checksum: checksum, bytes: bytes.count))
        try await writer.commit(checksum)
        return checksum
    }

    private func read(_ checksum: Checksum, from blobs: any BlobStore) async throws -> [UInt8] {
        let reader = try #require(try await blobs.open(checksum))
        var bytes: [UInt8] = []
        while let piece = try await reader.next() {
            #expect((1...BlobPiece.bytesMax).contains(piece.readableBytes))
            bytes += piece.readableBytesView
        }
        return bytes
    }
}

struct DiskBlobsTests {
    @Test func `folders that are missing are made, a file in their place is told`() async throws {
        try await withTemporaryFolder("blobs") { folder in
            _ = try await DiskBlobs(folder: folder + "/a/b/blobs", logger: .test)
            try Data().write(to: URL(fileURLWithPath: folder + "/file"))
            await #expect(throws: BlobError.self) { try await DiskBlobs(folder: folder + "/file/blobs", logger: .test) }
        }
    }

    @Test func `a start sweeps what a dead program left and nothing that a living one writes`() async throws {
        try await withTemporaryFolder("blobs") { folder in
            let blobs = try await DiskBlobs(folder: folder, logger: .test)
            try Data("left".utf8).write(to: URL(fileURLWithPath: folder + "/tmp/left"))
            let writer = try await blobs.begin()
            try await writer.write(ByteBuffer(string: "alive"))
            _ = try await DiskBlobs(folder: folder, logger: .test)
            let names = try FileManager.default.contentsOfDirectory(atPath: folder + "/tmp")
            #expect(names.map { folder + "/tmp/" + $0 } == [writer.draftPath])
            try await writer.commit(writer.written.checksum)
            #expect(try await blobs.contains(writer.written.checksum))
        }
    }

    @Test func `a writer that is dropped or discarded leaves no file`() async throws {
        try await withTemporaryFolder("blobs") { folder in
            let blobs = try await DiskBlobs(folder: folder, logger: .test)
            do {
                let dropped = try await blobs.begin()
                try await dropped.write(ByteBuffer(string: "x"))
            }
            let discarded = try await blobs.begin()
            await discarded.discard()
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder + "/tmp") == [])
        }
    }
}
