import Testing

@testable import Origin

struct FeedRingTests {
    private func frames(_ range: ClosedRange<UInt64>) -> [FeedRing.Frame] {
        range.map { FeedRing.Frame(position: $0, kind: "keys", data: "{}") }
    }

    private func positions(_ answer: FeedRing.Answer) -> [UInt64]? {
        if case .frames(let frames) = answer { frames.map(\.position) } else { nil }
    }

    @Test func `a reader gets what follows its position, bounded`() throws {
        var ring = FeedRing(head: 10, framesMax: 8)
        #expect(ring.next(after: 10, framesMax: 4) == .upToDate)
        try ring.append(frames(11...15))
        #expect(positions(ring.next(after: 10, framesMax: 3)) == [11, 12, 13])
        #expect(positions(ring.next(after: 13, framesMax: 3)) == [14, 15])
        #expect(ring.next(after: 9, framesMax: 3) == .tooOld)
        #expect(ring.next(after: 16, framesMax: 3) == .ahead)
    }

    @Test func `memory is bounded and the newest stay`() throws {
        var ring = FeedRing(head: 0, framesMax: 4)
        for position in 1...UInt64(100) { try ring.append(frames(position...position)) }
        #expect(ring.head == 100)
        #expect(ring.head - ring.floor < 8)
        #expect(positions(ring.next(after: 97, framesMax: 10)) == [98, 99, 100])
        #expect(ring.next(after: 50, framesMax: 10) == .tooOld)
    }

    // I3
    @Test func `a gap is never passed over`() throws {
        var ring = FeedRing(head: 10, framesMax: 4)
        #expect(throws: FeedDamage.gap(after: 10, next: 12)) { try ring.append(frames(12...12)) }
        #expect(throws: FeedDamage.gap(after: 10, next: 10)) { try ring.append(frames(10...10)) }
    }
}

struct ReplicaNewsTests {
    @Test func `reading undoes writing`() throws {
        let news: [ReplicaNews] = [
            .progress("r1", ReplicaProgress(edges: 2, applied: 17, at: 99)),
            .progress("r1", ReplicaProgress(edges: 0, applied: nil, at: 99)),
            .acknowledged(StreamName(replica: "r1", number: 7), edgeID: 3, position: 17),
        ]
        for one in news { #expect(ReplicaNews(parsing: one.description) == one) }
    }

    @Test(arguments: ["", "progress", "progress r1 x 1 1", "ack r1 3 17", "ack R.1 3 17", "other"])
    func `anything else is no news`(text: String) {
        #expect(ReplicaNews(parsing: text) == nil)
    }
}
