import Testing

@testable import Origin

struct FeedMemoryTests {
    private let zero = ContinuousClock.now

    private func page(_ head: UInt64, _ rows: [UInt64], after position: UInt64) -> FeedStore.Page {
        FeedStore.Page(
            head: head, rows: rows.map { FeedRing.Frame(position: $0, kind: "keys", data: "{}") }, after: position)
    }

    @Test func `a look that reached the head is a pulse, one that may have more is not`() throws {
        var memory = FeedMemory(framesMax: 8)
        memory.begin(at: 10)
        var step = try memory.take(page(13, [11, 12], after: 10), rowsMax: 2, began: zero)
        #expect(step == .again)
        #expect(memory.pulse == nil)
        step = try memory.take(page(13, [13], after: 12), rowsMax: 2, began: zero)
        #expect(step == .upToDate)
        #expect(memory.pulse?.number == 1)
    }

    @Test func `I5: a look that misses the newest rows vouches for nothing`() throws {
        var memory = FeedMemory(framesMax: 8)
        memory.begin(at: 10)
        let step = try memory.take(page(13, [11, 12], after: 10), rowsMax: 5, began: zero)
        #expect(step == .restarted(from: 12))
        #expect(memory.pulse == nil)
        #expect(memory.head == 13)
    }

    @Test func `I3: a position that is missing inside a page is reported, and nothing after it is taken`() throws {
        var memory = FeedMemory(framesMax: 8)
        memory.begin(at: 10)
        let damaged = page(13, [11, 13], after: 10)
        #expect(throws: FeedDamage.gap(after: 11, next: 13)) {
            _ = try memory.take(damaged, rowsMax: 5, began: zero)
        }
        #expect(memory.head == 11)
    }
}
