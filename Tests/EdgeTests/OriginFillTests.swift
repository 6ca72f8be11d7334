import EdgeCache
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
        #expect(assembly.list([try item("a"), try item("b")], 7) == nil && assembly.hasBegun)
        #expect(assembly.file("early") == nil)
        #expect(assembly.list([try item("b")], 9) == nil)
        let whole = try #require(assembly.list([try item("c")], 8))
        let keys = try ["a", "b", "c"].map { "\(try item($0).key)" }
        #expect(whole.position == 7 && whole.items.map { "\($0.key)" } == keys)
        #expect(assembly.file("between") == nil, "the cache does not have the list yet")
        #expect(assembly.announced() == ["early", "between"] && assembly.announced().isEmpty)
        #expect(assembly.file("late") == "late")
    }
}
