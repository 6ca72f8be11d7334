import Testing

@testable import Origin

struct StreamStandingTests {
    private let zero = ContinuousClock.now

    private func pulse(_ number: UInt64, after seconds: Int = 0) -> FeedMemory.Pulse {
        FeedMemory.Pulse(number: number, at: zero.advanced(by: .seconds(seconds)))
    }

    private func frames(_ range: ClosedRange<UInt64>) -> [FeedRing.Frame] {
        range.map { FeedRing.Frame(position: $0, kind: "keys", data: "{}") }
    }

    @Test func `a lease is sent once for each look at the table`() {
        var standing = StreamStanding(after: 10)
        var next: StreamStanding.Next? = standing.lease(nil, head: nil, at: zero)
        #expect(next == nil)
        next = standing.lease(pulse(1), head: 10, at: zero)
        #expect(next == .lease(head: 10))
        next = standing.lease(pulse(1), head: 10, at: zero.advanced(by: .seconds(1)))
        #expect(next == nil)
        next = standing.lease(pulse(2, after: 1), head: 11, at: zero.advanced(by: .seconds(1)))
        #expect(next == .lease(head: 11))
    }

    @Test func `I5: a stream that was held up does not vouch for what was seen long ago`() {
        var standing = StreamStanding(after: 10)
        var next: StreamStanding.Next? = standing.lease(pulse(7), head: 10, at: zero.advanced(by: .seconds(3)))
        #expect(next == nil)
        next = standing.lease(pulse(8, after: 3), head: 10, at: zero.advanced(by: .seconds(3)))
        #expect(next == .lease(head: 10))
    }

    @Test func `who was served from memory and falls behind it is cut off, who never was reads the table`() {
        var slow = StreamStanding(after: 10)
        var next: StreamStanding.Next? = slow.next(.upToDate)
        #expect(next == .wait)
        next = slow.next(.tooOld)
        #expect(next == .cutOff)
        var young = StreamStanding(after: 10)
        next = young.next(.tooOld)
        #expect(next == .readTable)
        next = young.next(FeedStore.Page(head: 30, rows: frames(11...13), after: 10))
        #expect(next == .send(frames(11...13)))
        next = young.next(FeedStore.Page(head: 30, rows: frames(21...23), after: 10))
        #expect(next == .reset(to: 30))
    }
}
