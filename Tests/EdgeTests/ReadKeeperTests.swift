import EdgeLedger
import Foundation
import Logging
import NIOCore
import NIOPosix
import Registry
import ServiceLifecycle
import TestSupport
import Testing

@testable import Edge

/// The one who carries reads to the origin, in front of an origin that takes connections and never says a word.
struct ReadKeeperTests {
    private let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    @Test func `a silent origin holds up neither the journal nor the end`() async throws {
        try await withTemporaryFolder("keeper") { folder in
            let silent = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
                .bind(host: "127.0.0.1", port: 0).get()
            // An hour of patience: who waits for an answer waits longer than any test.
            let limits = OriginClient.Limits(headTime: .hours(1), silenceTime: .hours(1))
            let client = OriginClient(
                origin: "http://127.0.0.1:\(silent.localAddress?.port ?? 0)", credential: "none", limits: limits)
            // Sixteen files of some forty reads each: what nobody takes out is soon too much.
            let (spool, journal) = try ReadSpool.open(in: folder + "/reads", segmentBytes: 4096, logger: logger)
            let keeper = try ReadKeeper(
                journal: journal, spool: spool, refusals: RefusalNotes { 1_764_028_800 }, client: client,
                spoolBytesMax: 1 << 20, logger: logger)
            let services = ServiceGroup(services: [keeper], logger: logger)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await services.run() }
                for _ in 0..<20 {
                    let before = try spool.place()
                    for _ in 0..<100 { read("/main/index/3/f/foo", into: journal) }
                    for _ in 0..<1000 where try spool.place() == before {
                        try await Task.sleep(for: .milliseconds(10))
                    }
                    #expect(try spool.place() != before, "saved although the origin has not answered")
                }
                await services.triggerGracefulShutdown()
                try await group.waitForAll()
            }
            #expect(journal.takeLost() == 0)
            #expect(try await Self.waiting(folder, logger) == 2000)
            try await client.close()
            try await silent.close()
        }
    }

    /// One read of an index file, as a request leaves it.
    private func read(_ path: String, into journal: ReadJournal) {
        let path = ByteBuffer(string: path)
        journal.append(ReadMark.headBytes + path.readableBytes) { record in
            record.initializeMemory(as: UInt8.self, repeating: 0)
            record[0] = 1
            record.storeBytes(of: 1_764_028_800, toByteOffset: 8, as: Int64.self)
            path.withUnsafeReadableBytes {
                UnsafeMutableRawBufferPointer(rebasing: record[ReadMark.headBytes...]).copyMemory(from: $0)
            }
        }
    }

    /// How many reads the spool has for the next start, in the batch under way and behind it.
    private static func waiting(_ folder: String, _ logger: Logger) async throws -> Int {
        let spool = try ReadSpool.open(in: folder + "/reads", logger: logger).0
        var sum = 0
        while let parcel = try await spool.parcel() {
            sum += try JSONDecoder().decode(AccessBatch.self, from: Data(parcel.body)).reads.map(\.count).reduce(0, +)
            try await spool.taken(parcel.number)
        }
        return sum
    }
}
