import CrateFile
import NIOCore
import Registry
import Testing

@testable import LoadTest

struct FanoutTests {
    private static let feed = """
        id: 7
        event: index
        data: {"crate":"bench-1","generation":2}

        event: lease
        data: {"head":7,"now":"2026-11-23T05:00:00Z"}


        """

    @Test(arguments: [1, 2, 7, 1000])
    func `events are the same however their bytes are cut`(size: Int) throws {
        var lines = FeedLines()
        var found: [FeedLines.Event] = []
        let bytes = Array(Self.feed.utf8)
        for start in stride(from: 0, to: bytes.count, by: size) {
            found += try lines.read(ByteBuffer(bytes: bytes[start..<min(start + size, bytes.count)]))
        }
        #expect(found.map(\.kind) == ["index", "lease"])
        #expect(found.map(\.position) == [7, nil])
        #expect(found.first?.data == #"{"crate":"bench-1","generation":2}"#)
    }

    @Test func `a line without an end is refused, not gathered`() throws {
        var lines = FeedLines()
        let chunk = ByteBuffer(repeating: 65, count: 1 << 10)
        #expect(throws: BenchFailure.self) {
            for _ in 0..<65 { _ = try lines.read(chunk) }
        }
    }

    @Test func `percentiles are times that were measured`() throws {
        let found = try #require(Percentiles((1...200).map(Double.init).shuffled()))
        #expect([found.p50, found.p99, found.max] == [100, 198, 200])
        #expect(try #require(Percentiles([3])).p99 == 3)
        #expect(Percentiles([]) == nil)
    }

    @Test func `receipts count from the request and from the first that heard`() throws {
        let receipts = Receipts(subscribers: 2, changes: 2)
        let start = NIODeadline.uptimeNanoseconds(1_000_000_000)
        #expect(try receipts.missing() == 4)
        receipts.heard(0, at: start + .milliseconds(5))
        receipts.heard(1, at: start + .milliseconds(3))
        receipts.heard(1, at: start + .milliseconds(100))
        #expect(try receipts.missing() == 1)
        #expect(receipts.delays(since: [start, start + .milliseconds(90)]).sorted() == [3, 5, 10])
        #expect(receipts.first() == [start + .milliseconds(3), start + .milliseconds(100)])
        // More than was planned changes nothing.
        receipts.heard(1, at: start + .milliseconds(200))
        #expect(try receipts.missing() == 1)
        receipts.failed(BenchFailure("first"))
        receipts.failed(BenchFailure("second"))
        #expect(throws: BenchFailure("first")) { try receipts.missing() }
    }

    @Test func `what is published is what an origin accepts`() throws {
        var frame = try Publisher.upload("bench-1", "1.0.0")[...]
        func length() -> Int {
            defer { frame = frame.dropFirst(4) }
            return frame.prefix(4).reversed().reduce(0) { $0 << 8 | Int($1) }
        }
        let metadata = try JSONValue(parsing: Array(frame.dropFirst(4).prefix(length())))
        #expect(metadata.object?["name"] == .string("bench-1"))
    }
}
