import Registry
import Testing

@testable import EdgeCache

/// What goes when room is needed on an edge's disk, whatever the clock does.
struct BlobLedgerTests {
    private func checksum(_ number: Int) throws -> Checksum {
        try #require(Checksum(hex: String(repeating: "\(number)", count: 64)))
    }

    /// Three blobs of 100 bytes fill it; they were used at seconds 1000, 1001 and 1002.
    private func full() throws -> BlobLedger {
        var ledger = BlobLedger(bytesMax: 300)
        for number in 0..<3 {
            #expect(ledger.reserve(100, at: 1000 + number) == [])
            ledger.keep(try checksum(number), bytes: 100, at: 1000 + number)
        }
        return ledger
    }

    @Test func `what was used just now stays`() throws {
        let end = 1000 + BlobLedger.secondsInUse
        var ledger = try full()
        #expect(ledger.reserve(100, at: end - 1) == nil)
        #expect(try ledger.reserve(100, at: end) == [checksum(0)])
        var later = try full()
        // A little more than what is needed.
        #expect(try later.reserve(100, at: end + 1) == [checksum(0), checksum(1)])
    }

    @Test func `I9: a clock that was set back does not keep everything for as long as that`() throws {
        var ledger = try full()
        #expect(ledger.reserve(100, at: 1000 - 3600) != nil)
    }

    @Test func `a clock that was set back a little does not take what is in use`() throws {
        var ledger = try full()
        #expect(ledger.reserve(100, at: 1001) == nil)
    }
}
