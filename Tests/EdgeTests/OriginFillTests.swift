import EdgeCache
import NIOCore
import Registry
import Testing

@testable import Edge

struct OriginFillTests {
    @Test(arguments: [
        (UpstreamError.Fault.protocolBroken, false, FillFailure.unknown), (.protocolBroken, true, .refused),
        (.unreachable, false, .unreachable), (.unreachable, true, .unreachable),
        (.origin(status: 503), false, .refused), (.credential(status: 401), false, .refused),
    ])
    func `only an answer that never began as a closure says that the origin knows none`(
        fault: UpstreamError.Fault, hasList: Bool, failure: FillFailure
    ) {
        #expect(OriginFill.failure(UpstreamError(fault: fault, detail: ""), hasList: hasList) == failure)
    }

    @Test func `a closure that can't be read is no reason to ask for none`() {
        #expect(OriginFill.failure(ClosureReader.Invalid(description: ""), hasList: true) == .refused)
    }

    private func item(_ name: String) throws -> FillItem {
        FillItem(.index(try RepositoryName("main"), try CrateName(name).indexPath), .absent)
    }

    @Test func `files wait for the lists of all parts, and the oldest snapshot counts`() throws {
        var assembly = FillAssembly<String>(parts: 3)
        #expect(!assembly.hasBegun)
        #expect(try assembly.list([try item("a"), try item("b")], bytes: 1, 7) == nil && assembly.hasBegun)
        #expect(assembly.file("early") == nil)
        #expect(try assembly.list([try item("b")], bytes: 1, 9) == nil)
        let whole = try #require(try assembly.list([try item("c")], bytes: 1, 8))
        let keys = try ["a", "b", "c"].map { "\(try item($0).key)" }
        #expect(whole.position == 7 && whole.items.map { "\($0.key)" } == keys)
        #expect(assembly.file("between") == nil, "the cache does not have the list yet")
        #expect(assembly.announced() == ["early", "between"] && assembly.announced().isEmpty)
        #expect(assembly.file("late") == "late")
    }

    @Test func `pieces make a member in whatever order they come, and a piece twice is refused`() throws {
        var assembly = FillAssembly<String>(parts: 3)
        let tag = EntityTag(generation: 1, checksum: Checksum(of: ByteBuffer(string: "x")))
        let file = FillAssembly<String>.Pieces(path: try CrateName("a").indexPath, tag: tag, count: 3)
        func piece(_ index: Int) throws -> ClosurePiece { try #require(ClosurePiece(index: index, count: 3)) }
        #expect(try assembly.piece(file, piece(2), ByteBuffer(string: "c")) == nil)
        #expect(try assembly.piece(file, piece(0), ByteBuffer(string: "a")) == nil)
        #expect(throws: UpstreamError.self) { try assembly.piece(file, piece(0), ByteBuffer(string: "a")) }
        let other = FillAssembly<String>.Pieces(path: file.path, tag: tag, count: 2)
        let half = try #require(ClosurePiece(index: 1, count: 2))
        #expect(try assembly.piece(other, half, ByteBuffer(string: "z")) == nil, "another cut is another file")
        #expect(try assembly.piece(file, piece(1), ByteBuffer(string: "b")) == ByteBuffer(string: "abc"))
    }

    // I9
    @Test func `all parts together may not announce more than one answer may`() throws {
        var assembly = FillAssembly<String>(parts: 3)
        #expect(try assembly.list([], bytes: ClosureList.fileBytesMax, 1) == nil)
        #expect(throws: UpstreamError.self) { try assembly.list([], bytes: 1, 1) }
    }
}
