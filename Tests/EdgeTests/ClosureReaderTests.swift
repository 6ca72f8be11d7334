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

    private func read(_ chunks: [[UInt8]]) throws -> (Read, isWhole: Bool) {
        var reader = ClosureReader()
        var read = Read()
        for part in try chunks.flatMap({ try reader.read(ByteBuffer(bytes: $0)) }) {
            switch part {
            case .list(let list): read.names = list.items.map(\.path.name)
            case .file(let path, _, let bytes): read.files[path.name] = String(buffer: bytes)
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
}
