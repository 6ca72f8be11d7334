import Foundation
import GRDB
import Logging
import Registry
import TestSupport
import Testing

@testable import EdgeLedger

/// Refusals between the edge's memory and the origin: a page is sent once it is over, and is in one place.
struct RefusalSpoolTests {
    private let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    private func line(_ place: Int, _ rule: String, count: Int = 1, at: Int = 100) -> ReadSpool.Refusal {
        var refusal = AccessRefusal(first: at, last: at, count: count, rule: rule)
        refusal.address = "192.0.2.7"
        refusal.path = "GET /\(at)"
        return ReadSpool.Refusal(place: place, refusal: refusal)
    }

    private func open(_ folder: String) throws -> ReadSpool {
        try ReadSpool.open(in: folder + "/reads", logger: logger).0
    }

    private func next(_ spool: ReadSpool) async throws -> [AccessRefusal]? {
        guard let parcel = try await spool.parcel() else { return nil }
        try await spool.taken(parcel.number)
        return try JSONDecoder().decode(AccessBatch.self, from: Data(parcel.body)).refusals
    }

    @Test func `a page grows until it is over, and is then one line for each`() async throws {
        try await withTemporaryFolder("spool") { folder in
            let spool = try open(folder)
            _ = try await spool.save([line(0, "a"), line(1, "b", count: 5)], page: 0, isOver: false)
            _ = try await spool.save([line(0, "a", count: 2, at: 104)], page: 0, isOver: false)
            #expect(try await spool.parcel() == nil)
            _ = try await spool.save([line(0, "a", at: 109)], page: 0, isOver: true)
            _ = try await spool.save([line(0, "c", at: 110)], page: 1, isOver: false)
            let told = try #require(try await next(spool))
            #expect(told.map(\.rule) == ["a", "b"] && told.map(\.count) == [4, 5])
            #expect(told[0].first == 100 && told[0].last == 109 && told[0].path == "GET /100")
            #expect(try await next(spool) == nil)
            #expect(try await spool.figures().refusals == 1)
            // Nothing new, but its time has come.
            _ = try await spool.save([], page: 1, isOver: true)
            #expect(try await next(spool)?.map(\.rule) == ["c"])
        }
    }

    @Test func `what a process left behind is sent by the next one, the batch under way as it was`() async throws {
        try await withTemporaryFolder("spool") { folder in
            var spool = try open(folder)
            _ = try await spool.save([line(0, "a")], page: 0, isOver: true)
            let first = try #require(try await spool.parcel())
            _ = try await spool.save([line(0, "b")], page: 1, isOver: false)
            try spool.close()

            spool = try open(folder)
            #expect(try await spool.parcel()?.body == first.body)
            try await spool.taken(first.number)
            // A new run's first page is none of the old one's.
            _ = try await spool.save([line(0, "c")], page: 0, isOver: false)
            #expect(try await next(spool)?.map(\.rule) == ["b"])
            _ = try await spool.save([], page: 0, isOver: true)
            #expect(try await next(spool)?.map(\.rule) == ["c"])
        }
    }

    @Test func `I9: batches are bounded, and what waits is, without losing a count`() async throws {
        try await withTemporaryFolder("spool") { folder in
            let spool = try open(folder)
            let rows = 33
            var nameless = 0
            for page in 0..<100 {
                nameless += try await spool.save(
                    (0..<rows).map { line($0, "rule-\($0)", at: page) }, page: page, isOver: true)
            }
            #expect(nameless > 0)
            #expect(try await spool.figures().refusals <= ReadSpool.refusalRowsMax)
            var told: [AccessRefusal] = []
            while let some = try await next(spool) {
                #expect(some.count <= AccessBatch.refusalsMax)
                told += some
            }
            #expect(told.reduce(0) { $0 + $1.count } == 100 * rows)
            #expect(told[0].rule == "over-the-limit" && told[0].count == nameless && told[0].address == nil)
            #expect(told[0].first == 0 && told.last?.last == 99)
            // The newest keep their names.
            #expect(told.suffix(rows).map(\.rule) == (0..<rows).map { "rule-\($0)" })
        }
    }

    @Test func `room for reads is made of refusals, down to one line`() async throws {
        try await withTemporaryFolder("spool") { folder in
            let spool = try open(folder)
            _ = try await spool.save((0..<9).map { line($0, "r-\($0)") }, page: 0, isOver: false)
            #expect(try await spool.foldRefusals(rowsMax: 1) == 9)
            #expect(try await spool.foldRefusals(rowsMax: 1) == 0)
            // The page goes on.
            _ = try await spool.save([line(0, "r-0"), line(8, "r-8")], page: 0, isOver: true)
            let told = try #require(try await next(spool))
            #expect(told.reduce(0) { $0 + $1.count } == 11 && told.contains { $0.rule == "over-the-limit" })
        }
    }

    @Test func `a spool from before there were refusals goes on with what it holds`() async throws {
        try await withTemporaryFolder("spool") { folder in
            var spool = try open(folder)
            var rows = ReadSpool.Rows()
            rows.reads = [
                AccessBatch.Reads(day: "2025-11-25", repository: "main", crate: "foo", version: nil, count: 3)
            ]
            try await spool.save(rows, upTo: .start)
            let id = spool.id
            try await spool.database.write { database in
                try database.execute(
                    sql: """
                        DROP TABLE refusals; DELETE FROM meta WHERE name = 'page'; ALTER TABLE pulls DROP COLUMN address;
                        PRAGMA user_version = 1
                        """)
            }
            try spool.close()

            spool = try open(folder)
            #expect(spool.id == id)
            _ = try await spool.save([line(0, "a")], page: 0, isOver: true)
            let parcel = try #require(try await spool.parcel())
            let batch = try JSONDecoder().decode(AccessBatch.self, from: Data(parcel.body))
            #expect(batch.reads.map(\.count) == [3] && batch.refusals?.map(\.rule) == ["a"])
        }
    }
}
