import EdgeCache
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
}
