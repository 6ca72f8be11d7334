import Foundation
import Logging
import Registry
import TestSupport
import Testing

@testable import EdgeLedger

/// The spool between journal and origin: each read is in one place, whenever the process ends.
struct ReadSpoolTests {
    private let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    private func rows(pulls: Int, from first: Int = 0, reads: Int = 0) -> ReadSpool.Rows {
        var rows = ReadSpool.Rows()
        rows.pulls = (first..<first + pulls).map { number in
            AccessBatch.Pull(
                at: 1_764_028_800, repository: "main", crate: "foo", version: "1.0.\(number)",
                subject: number % 2 == 0 ? "7" : nil, bytes: 5, cache: "HIT",
                address: number % 2 == 0 ? nil : "192.0.2.9")
        }
        if reads > 0 {
            rows.reads = [
                AccessBatch.Reads(day: "2025-11-25", repository: "main", crate: "foo", version: nil, count: reads)
            ]
        }
        return rows
    }

    private func batch(_ parcel: ReadSpool.Parcel?) throws -> AccessBatch {
        try JSONDecoder().decode(AccessBatch.self, from: Data(try #require(parcel).body))
    }

    @Test func `a batch is the same bytes until it is taken, over restarts too`() async throws {
        try await withTemporaryFolder("spool") { folder in
            var spool = try ReadSpool.open(in: folder + "/reads", logger: logger).0
            let place = JournalPlace(segment: 1, offset: 640)
            try await spool.save(rows(pulls: 3, reads: 4), upTo: place)
            let first = try #require(try await spool.parcel())
            try await spool.save(rows(pulls: 2, from: 3, reads: 5), upTo: place)
            try spool.close()

            spool = try ReadSpool.open(in: folder + "/reads", logger: logger).0
            #expect(try spool.place() == place)
            let again = try #require(try await spool.parcel())
            #expect(again.body == first.body && again.number == 1)
            #expect(try batch(again).pulls.count == 3 && batch(again).reads.map(\.count) == [4])
            #expect(try batch(again).pulls.map(\.subject) == ["7", nil, "7"])
            #expect(try batch(again).pulls.map(\.address) == [nil, "192.0.2.9", nil])
            try await spool.taken(1)

            let second = try batch(try await spool.parcel())
            #expect(second.number == 2 && second.spool == spool.id && second.isSpoolNamed)
            #expect(second.pulls.map(\.version) == ["1.0.3", "1.0.4"] && second.reads.map(\.count) == [5])
            try await spool.taken(2)
            #expect(try await spool.parcel() == nil)
        }
    }

    @Test func `batches are bounded, and together hold every row once`() async throws {
        try await withTemporaryFolder("spool") { folder in
            let spool = try ReadSpool.open(in: folder + "/reads", logger: logger).0
            try await spool.save(rows(pulls: 2 * AccessBatch.rowsMax + 1), upTo: .start)
            var versions: [String] = []
            var sizes: [Int] = []
            while let parcel = try await spool.parcel() {
                let batch = try batch(parcel)
                #expect(parcel.body.count < AccessBatch.bytesMax)
                versions += batch.pulls.map(\.version)
                sizes.append(batch.pulls.count)
                try await spool.taken(parcel.number)
            }
            #expect(sizes == [AccessBatch.rowsMax, AccessBatch.rowsMax, 1])
            #expect(versions == (0...2 * AccessBatch.rowsMax).map { "1.0.\($0)" })
        }
    }

    @Test func `room is made without losing a count`() async throws {
        try await withTemporaryFolder("spool") { folder in
            let spool = try ReadSpool.open(in: folder + "/reads", logger: logger).0
            var same = rows(pulls: 10)
            for place in same.pulls.indices { same.pulls[place].version = "1.0.0" }
            try await spool.save(same, upTo: .start)
            #expect(try await spool.fold(rowsMax: 4) == 4)
            let batch = try batch(try await spool.parcel())
            #expect(batch.pulls.count == 6)
            #expect(
                batch.reads
                    == [
                        AccessBatch.Reads(
                            day: "2025-11-25", repository: "main", crate: "foo", version: "1.0.0", count: 4)
                    ])
        }
    }

    @Test func `a spool that can't be used is put aside with its journal, and counting starts anew`() async throws {
        try await withTemporaryFolder("spool") { folder in
            let first = try ReadSpool.open(in: folder + "/reads", logger: logger)
            first.1.append(3) { $0.copyBytes(from: [1, 2, 3]) }
            try first.0.close()
            for suffix in ["", "-wal", "-shm"] {
                try Data(repeating: 0x61, count: 8192).write(
                    to: URL(fileURLWithPath: folder + "/reads/spool.sqlite" + suffix))
            }
            let second = try ReadSpool.open(in: folder + "/reads", logger: logger)
            #expect(second.0.id != first.0.id)
            #expect(second.1.read(after: .start, recordsMax: 10) { _ in }.count == 0)
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder).count == 2)
        }
    }

    @Test func `I9: where no file for the journal can be made, nothing is renamed or forgotten`() async throws {
        try await withTemporaryFolder("spool") { folder in
            let first = try ReadSpool.open(in: folder + "/reads", logger: logger)
            try await first.0.save(rows(pulls: 3), upTo: .start)
            first.1.append(3) { $0.copyBytes(from: [1, 2, 3]) }
            try first.0.close()
            for _ in 0..<3 {
                // The system makes room for no file of zero bytes.
                let second = try ReadSpool.open(in: folder + "/reads", segmentBytes: 0, logger: logger)
                #expect(second.0.id == first.0.id)
                #expect(second.1.read(after: .start, recordsMax: 10) { _ in }.count == 1)
                #expect(try await second.0.figures().pulls == 3)
                try second.0.close()
            }
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["reads"])
        }
    }

    @Test(arguments: ["spool.sqlite", "reads-7.journal"])
    func `what the system does not open is refused with its reason, and stays`(name: String) async throws {
        try await withTemporaryFolder("spool") { folder in
            let path = "\(folder)/reads/\(name)"
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
            let error = #expect(throws: ReadSpool.Unreachable.self) {
                try ReadSpool.open(in: folder + "/reads", logger: logger)
            }
            #expect(error?.description.contains("can't be opened") == true)
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["reads"])
            #expect(FileManager.default.fileExists(atPath: path))
        }
    }

    @Test func `figures say how many downloads wait, whatever came and went`() async throws {
        try await withTemporaryFolder("spool") { folder in
            let spool = try ReadSpool.open(in: folder + "/reads", logger: logger).0
            #expect(try await spool.figures().pulls == 0)
            try await spool.save(rows(pulls: AccessBatch.rowsMax + 10, reads: 1), upTo: .start)
            #expect(try await spool.figures().pulls == AccessBatch.rowsMax + 10)
            _ = try await spool.parcel()
            #expect(try await spool.figures().pulls == 10)
            #expect(try await spool.fold(rowsMax: 4) == 4)
            try await spool.save(rows(pulls: 5), upTo: .start)
            #expect(try await spool.figures().pulls == 11)
            #expect(try await spool.fold(rowsMax: 100) == 11)
            #expect(try await spool.figures().pulls == 0)
        }
    }
}
