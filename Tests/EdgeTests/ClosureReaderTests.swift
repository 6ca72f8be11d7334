import CrateFile
import Crypto
import NIOCore
import Registry
import Testing

@testable import Edge

struct ClosureReaderTests {
    private struct Read: Equatable {
        var names: [String] = []
        var files: [String: String] = [:]
    }

    /// A list of `a` (5 bytes), `gone` and `b` (none), and the files behind it.
    private func answer() throws -> [UInt8] {
        let tag = EntityTag(generation: 1, checksum: try #require(Checksum(bytes: SHA256.hash(data: [1]))))
        let list = ClosureList([
            .init(try CrateName("a").indexPath, .file(tag, bytes: 5)), .init(try CrateName("gone").indexPath, .absent),
            .init(try CrateName("b").indexPath, .file(tag, bytes: 0)),
        ])
        return list.bytes + Array("hello".utf8)
    }

    /// The same with packed files.
    private func packedAnswer() throws -> [UInt8] {
        let plain = try answer()
        return Array(plain.dropLast(5)) + (try framed("hello")) + (try framed(""))
    }

    private func framed(_ text: String) throws -> [UInt8] {
        let member = try Gzip.compress(Array(text.utf8))
        return withUnsafeBytes(of: UInt32(member.count).bigEndian, Array.init) + member
    }

    private func read(_ chunks: [[UInt8]], isPacked: Bool = false) throws -> (Read, isWhole: Bool) {
        var reader = ClosureReader(isPacked: isPacked)
        var read = Read()
        for part in try chunks.flatMap({ try reader.read(ByteBuffer(bytes: $0)) }) {
            switch part {
            case .list(let list): read.names = list.items.map(\.path.name)
            case .file(let path, _, let bytes): read.files[path.name] = String(buffer: bytes)
            case .packed(let path, _, let bytes, _, let member):
                read.files[path.name] = GzipBody.expand(member, bytes: bytes).map { String(buffer: $0) }
            }
        }
        return (read, (try? reader.finish()) != nil)
    }

    @Test func `the parts are the same however the bytes come`() throws {
        let bytes = try answer()
        let whole = Read(names: ["a", "gone", "b"], files: ["a": "hello", "b": ""])
        for size in 1...bytes.count {
            let chunks = stride(from: 0, to: bytes.count, by: size).map { Array(bytes[$0...].prefix(size)) }
            let (read, isWhole) = try read(chunks)
            #expect(read == whole && isWhole, "in chunks of \(size)")
        }
    }

    @Test func `a cut anywhere is noticed, and what was whole is kept`() throws {
        let bytes = try answer()
        for length in 0..<bytes.count {
            let (read, isWhole) = try read([Array(bytes.prefix(length))])
            #expect(!isWhole && read.files.isEmpty, "\(length)")
        }
    }

    @Test func `more than was announced, a list too long, or a broken one is refused`() throws {
        #expect(throws: ClosureReader.Invalid.self) { try read([try answer() + [0]]) }
        #expect(throws: ClosureReader.Invalid.self) { try read([try answer(), [0]]) }
        #expect(throws: ClosureReader.Invalid.self) { try read([[0xFF, 0, 0, 0]]) }
        #expect(throws: ClosureReader.Invalid.self) { try read([[0, 0, 0, 1, 9]]) }
    }

    @Test func `packed files are cut apart however the bytes come`() throws {
        let bytes = try packedAnswer()
        let whole = Read(names: ["a", "gone", "b"], files: ["a": "hello", "b": ""])
        for size in 1...bytes.count {
            let chunks = stride(from: 0, to: bytes.count, by: size).map { Array(bytes[$0...].prefix(size)) }
            let (read, isWhole) = try read(chunks, isPacked: true)
            #expect(read == whole && isWhole, "in chunks of \(size)")
        }
        for length in 0..<bytes.count {
            #expect(try !read([Array(bytes.prefix(length))], isPacked: true).isWhole, "\(length)")
        }
    }

    @Test func `a packed file that is far larger than the file is refused`() throws {
        let list = Array(try answer().dropLast(5))
        #expect(throws: ClosureReader.Invalid.self) { try read([list + [0, 1, 0, 0]], isPacked: true) }
        #expect(throws: ClosureReader.Invalid.self) { try read([try packedAnswer() + [0]], isPacked: true) }
    }

    // I8, I9
    @Test func `a member expands to exactly what was announced, or not at all`() throws {
        let text = String(repeating: "x", count: 5000)
        let member = ByteBuffer(bytes: try Gzip.compress(Array(text.utf8)))
        #expect(GzipBody.expand(member, bytes: 5000).map { String(buffer: $0) } == text)
        for bytes in [0, 1, 4999, 5001] { #expect(GzipBody.expand(member, bytes: bytes) == nil, "\(bytes)") }
        var longer = member
        longer.writeInteger(UInt8(0))
        #expect(GzipBody.expand(longer, bytes: 5000) == nil, "something follows")
        #expect(GzipBody.expand(member.getSlice(at: 0, length: member.readableBytes - 1) ?? member, bytes: 5000) == nil)
        #expect(GzipBody.expand(ByteBuffer(), bytes: 0) == nil)
    }

    @Test func `pieces come with their numbers, and not where files are not packed`() throws {
        let piece = try #require(ClosurePiece(index: 1, count: 2))
        let tag = EntityTag(generation: 1, checksum: Checksum(of: ByteBuffer(string: "hello")))
        let list = ClosureList([.init(try CrateName("a").indexPath, .piece(tag, bytes: 5, piece))])
        let bytes = list.bytes + [0, 0, 0, 2, 7, 8]
        var reader = ClosureReader(isPacked: true)
        guard case .packed(let path, tag, bytes: 5, piece, let part) = try reader.read(ByteBuffer(bytes: bytes)).last
        else { throw ClosureReader.Invalid(description: "no piece") }
        #expect(path.name == "a" && Array(part.readableBytesView) == [7, 8])
        try reader.finish()
        #expect(throws: ClosureReader.Invalid.self) { try read([bytes]) }
    }
}
