import Foundation
import Logging
import Synchronization
import TestSupport
import Testing

@testable import EdgeLedger

/// The journal between requests and the spool: nothing invented, nothing twice, everything that was written whole.
struct ReadJournalTests {
    private let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    private static let segmentBytes = 8 << 10

    private func open(_ folder: String, after place: JournalPlace = .start) throws -> ReadJournal {
        try ReadJournal(folder: folder, after: place, segmentBytes: Self.segmentBytes, logger: logger)
    }

    private func append(_ text: String, to journal: ReadJournal) {
        let bytes = Array(text.utf8)
        journal.append(bytes.count) { $0.copyBytes(from: bytes) }
    }

    private func read(_ journal: ReadJournal, after place: JournalPlace = .start, most: Int = .max)
        -> (texts: [String], place: JournalPlace)
    {
        var texts: [String] = []
        let (next, count) = journal.read(after: place, recordsMax: most) { record in
            texts.append(String(decoding: record, as: UTF8.self))
        }
        #expect(count == texts.count)
        return (texts, next)
    }

    @Test func `records come back in order, over files and restarts`() async throws {
        try await withTemporaryFolder("journal") { folder in
            let texts = (0..<1000).map { "read \($0) " + String(repeating: "x", count: $0 % 60) }
            var journal = try open(folder)
            for text in texts[..<500] { append(text, to: journal) }
            let half = read(journal, most: 300)
            #expect(half.texts == Array(texts[..<300]))
            // As after a kill: another process opens what is there.
            journal = try open(folder, after: half.place)
            try journal.prepare()
            for text in texts[500...] { append(text, to: journal) }
            let rest = read(journal, after: half.place)
            #expect(rest.texts == Array(texts[300...]))
            #expect(read(journal, after: rest.place).texts == [])
            journal.release(before: rest.place)
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder).count <= 2)
        }
    }

    @Test func `I9: a journal that nobody empties is bounded, and says what it lost`() async throws {
        try await withTemporaryFolder("journal") { folder in
            let journal = try open(folder)
            let text = String(repeating: "y", count: 200)
            for _ in 0..<1000 { append(text, to: journal) }
            let kept = read(journal).texts.count
            #expect(kept > 500 && kept < 1000)
            #expect(journal.takeLost() == 1000 - kept)
            #expect(journal.takeLost() == 0)
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder).count == ReadJournal.segmentsMax)
        }
    }

    @Test func `a record that no file could hold is lost, and no other`() async throws {
        try await withTemporaryFolder("journal") { folder in
            let journal = try open(folder)
            append("before", to: journal)
            append(String(repeating: "z", count: JournalSegment.recordBytesMax + 1), to: journal)
            append("after", to: journal)
            #expect(read(journal).texts == ["before", "after"])
            #expect(journal.takeLost() == 1)
        }
    }

    @Test func `many threads at once lose nothing`() async throws {
        try await withTemporaryFolder("journal") { folder in
            let journal = try open(folder)
            await withTaskGroup(of: Void.self) { group in
                for task in 0..<8 {
                    group.addTask { for number in 0..<100 { append("\(task) \(number)", to: journal) } }
                }
            }
            let texts = read(journal).texts
            #expect(texts.count == 800 && Set(texts).count == 800)
            // Each thread's own records keep their order.
            for task in 0..<8 {
                let own = texts.filter { $0.hasPrefix("\(task) ") }
                #expect(own == (0..<100).map { "\(task) \($0)" })
            }
        }
    }

    @Test func `a file that is cut or damaged gives what was whole before it, and nothing else`() async throws {
        for seed in UInt64(1)...300 {
            var numbers = Numbers(state: seed)
            try await withTemporaryFolder("journal") { folder in
                let texts = (0..<60).map { "read \($0) " + String(repeating: "x", count: ($0 &* 7) % 50) }
                var journal: ReadJournal? = try open(folder)
                for text in texts { append(text, to: journal!) }
                journal = nil
                let path = folder + "/reads-1.journal"
                var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
                if Bool.random(using: &numbers) {
                    bytes = bytes.prefix(Int.random(in: 0...bytes.count, using: &numbers))
                } else {
                    for _ in 0..<Int.random(in: 1...4, using: &numbers) {
                        bytes[Int.random(in: 16..<4500, using: &numbers)] = UInt8.random(
                            in: .min ... .max, using: &numbers)
                    }
                }
                try bytes.write(to: URL(fileURLWithPath: path))
                let found = read(try open(folder)).texts
                #expect(found == Array(texts.prefix(found.count)), "seed \(seed)")
            }
        }
    }

    /// The same numbers for the same seed.
    private struct Numbers: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return state ^ state >> 33
        }
    }

    @Test func `I9: without room for a file reads are lost and counted, until there is room`() async throws {
        try await withTemporaryFolder("journal") { folder in
            append("earlier", to: try open(folder))
            let isFull = Mutex(true)
            let journal = try ReadJournal(
                folder: folder, after: .start, segmentBytes: Self.segmentBytes, logger: logger
            ) { path, number, bytes throws(LedgerFailure) in
                if isFull.withLock({ $0 }) { throw LedgerFailure(action: "make room for", path: path, code: ENOSPC) }
                return try JournalSegment(creating: path, number: number, bytes: bytes)
            }
            append("lost", to: journal)
            #expect(throws: LedgerFailure.self) { try journal.prepare() }
            append("lost, too", to: journal)
            #expect(journal.takeLost() == 2)
            let old = read(journal)
            #expect(old.texts == ["earlier"])
            journal.release(before: old.place)
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == [], "it may be the room that lacks")
            isFull.withLock { $0 = false }
            try journal.prepare()
            append("later", to: journal)
            #expect(journal.takeLost() == 0)
            #expect(read(journal, after: old.place).texts == ["later"])
            #expect(read(try open(folder, after: old.place), after: old.place).texts == ["later"])
        }
    }

    @Test func `a stranger's file is put aside`() async throws {
        try await withTemporaryFolder("journal") { folder in
            for (number, text) in [(3, ""), (4, String(repeating: "?", count: 4096))] {
                try text.write(toFile: folder + "/reads-\(number).journal", atomically: true, encoding: .utf8)
            }
            let journal = try open(folder)
            append("mine", to: journal)
            #expect(read(journal).texts == ["mine"])
            let names = try FileManager.default.contentsOfDirectory(atPath: folder)
            #expect(names.filter { $0.hasSuffix(".unusable") }.count == 2)
        }
    }
}
