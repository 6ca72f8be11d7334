import Foundation
import NIOCore
import Postgres
import Registry
import Synchronization
import TestSupport
import Testing

@testable import Origin

/// Prints how long closures take at the origin, and how well they foretell what resolving 30 applications asks.
///
/// Asserts what no machine changes: that all is sent, and that little is missing. Runs only with `LONGSHORE_FIGURES_DATA` set. See loadtests/README.md.
struct ClosureFigures {
    private static let folder = ProcessInfo.processInfo.environment["LONGSHORE_FIGURES_DATA"] ?? ""

    private struct Row {
        let application: String
        let files: Int
        let bytes: Int
        let listMilliseconds: Double
        let allMilliseconds: Double
        let asked: Int
        let foretold: Int
        let unasked: Int
    }

    @Test(.enabled(if: !folder.isEmpty, "LONGSHORE_FIGURES_DATA names no folder"))
    func `closures of 30 applications`() async throws {
        let applications = try PopularClosure.applications(in: Self.folder)
        try await TestDatabase.with { pool, _ in
            let stores = (EventLog(), AuditStore())
            let repository = try await RepositoryStore(pool: pool, events: stores.0, audit: stores.1).create(
                RepositoryName("main"), RepositorySettings(isPrivate: false), by: .commandLine)
            let begun = ContinuousClock.now
            try await PopularClosure.load(Self.folder, into: repository.id, pool)
            print("loaded in \(ContinuousClock.now - begun)")
            let caughtUp = ContinuousClock.now
            let crates = try await DependencyCatchUp(pool: pool, logger: .test).catchUp()
            print("caught up with \(crates) crates in \(ContinuousClock.now - caughtUp)")
            let store = ClosureStore(pool: pool)
            var rows: [Row] = []
            for application in applications {
                // The first is to warm PostgreSQL's buffers up.
                _ = try await measure(application, store, repository)
                rows.append(try await measure(application, store, repository))
            }
            let asked = rows.reduce(0) { $0 + $1.asked }
            #expect(rows.count == applications.count && asked > 0)
            #expect(rows.allSatisfy { $0.foretold > 0 }, "a closure foretold nothing")
            // 0.96 when it was made (docs/decisions/0007-closure-fill.md).
            #expect(Double(rows.reduce(0) { $0 + $1.foretold }) > 0.9 * Double(asked))
            Self.show(rows.sorted { $0.files < $1.files })
        }
    }

    private func measure(
        _ application: PopularClosure.Application, _ store: ClosureStore, _ repository: Repository
    ) async throws -> Row {
        let question = ClosureQuestion(roots: application.direct)
        let listed = ContinuousClock.now
        let items = try await store.pool.withTransaction(isolation: .repeatableRead, readOnly: true) { transaction in
            try await store.walk(ResolverWalk(question), in: repository, transaction).items
        }
        let listTime = ContinuousClock.now - listed
        let begun = ContinuousClock.now
        let sentBytes = Mutex(0)
        try await store.read(question, in: repository, isPacked: true) { part in
            if case .packed(let members) = part {
                sentBytes.withLock { $0 += members.reduce(0) { $0 + $1.readableBytes } }
            }
        }
        let allTime = ContinuousClock.now - begun
        let packedBytes = sentBytes.withLock { $0 }
        #expect(packedBytes > 0, "\(application.name)")
        let sent = Set(items.list.filter { $0.state != .absent }.map(\.path.name))
        return Row(
            application: application.name, files: items.files.count, bytes: packedBytes,
            listMilliseconds: listTime / .milliseconds(1), allMilliseconds: allTime / .milliseconds(1),
            asked: application.reachable.count, foretold: application.reachable.intersection(sent).count,
            unasked: sent.subtracting(application.asked).count)
    }

    private static func show(_ rows: [Row]) {
        print("application | files | packed MB | list ms | with texts ms | recall | waste")
        for row in rows {
            print(
                String(
                    format: "%@ | %d | %.1f | %.1f | %.1f | %.2f | %.2f", row.application, row.files,
                    Double(row.bytes) / 1e6, row.listMilliseconds, row.allMilliseconds,
                    Double(row.foretold) / Double(row.asked), Double(row.unasked) / Double(max(1, row.files))))
        }
        let sorted = (rows.map(\.listMilliseconds).sorted(), rows.map(\.allMilliseconds).sorted())
        print(
            String(
                format: "list ms: median %.1f, max %.1f; with texts ms: median %.1f, max %.1f; recall %.3f, waste %.3f",
                sorted.0[rows.count / 2], sorted.0.last ?? 0, sorted.1[rows.count / 2], sorted.1.last ?? 0,
                Double(rows.reduce(0) { $0 + $1.foretold }) / Double(rows.reduce(0) { $0 + $1.asked }),
                Double(rows.reduce(0) { $0 + $1.unasked }) / Double(rows.reduce(0) { $0 + $1.files })))
    }
}
