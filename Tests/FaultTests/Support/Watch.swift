import AsyncHTTPClient
import Crypto
import Foundation
import NIOCore
import Postgres
import Registry
import Synchronization
import TestSupport

/// What every scenario knows while it runs: the database's truth, what clients saw, and what was wrong.
///
/// Reads are kept and judged at the end, when all changes are known.
final class Watch: Sendable {
    private struct State {
        var ledger = Ledger()
        var reads: [Ledger.Read] = []
        var objections: [String] = []
        /// By client kind: `index at eu`, and what it saw: `200 HIT`.
        var codes: [String: [String: Int]] = [:]
        var applied: [String: UInt64] = [:]
        var mayBeDown: Set<String> = []
        /// Crates that were answered 200, which somebody may download from now on.
        var shelf: [(path: String, sha256: String)] = []
    }

    private let state = Mutex(State())

    var ledger: Ledger { state.withLock { $0.ledger } }
    var readCount: Int { state.withLock { $0.reads.count } }

    func object(_ text: String) { state.withLock { $0.objections.append(text) } }
    func saw(_ answer: String, as client: String) {
        state.withLock { $0.codes[client, default: [:]][answer, default: 0] += 1 }
    }
    func put(_ path: String, sha256: String) { state.withLock { $0.shelf.append((path, sha256)) } }
    func applied(by edge: String) -> UInt64 { state.withLock { $0.applied[edge] ?? 0 } }

    /// A part that the scenario ends itself need not answer.
    func mayBeDown(_ name: String, _ may: Bool = true) {
        state.withLock { state in
            if may { state.mayBeDown.insert(name) } else { state.mayBeDown.remove(name) }
        }
    }

    /// `index eu: 200×310 503×4`, the kinds in the order of the alphabet.
    var codes: String {
        let all = state.withLock { $0.codes }
        return all.keys.sorted().map { client in
            let seen = all[client, default: [:]].sorted { $0.key < $1.key }.map { "\($0.key)×\($0.value)" }
            return "\(client): \(seen.joined(separator: " "))"
        }.joined(separator: "; ")
    }

    /// True when each kind of client of these edges has been served once: what follows meets no cold edge by accident.
    func isWarm(_ edges: [LiveEdge]) -> Bool {
        let all = state.withLock { $0.codes }
        return edges.allSatisfy { edge in
            ["index", "crate", "member"].allSatisfy { kind in
                all["\(kind) \(edge.name)", default: [:]].keys.contains { $0.hasPrefix("200") }
            }
        }
    }

    /// Everything that was wrong, each sentence once.
    ///
    /// - Parameter lateMax: see `Ledger.objection`.
    func objections(lateMax: Duration) -> [String] {
        let state = state.withLock { $0 }
        let all =
            state.ledger.objections + state.objections
            + state.reads.compactMap { state.ledger.objection(to: $0, lateMax: lateMax) }
        var seen: Set<String> = []
        return all.filter { seen.insert($0).inserted }
    }
}

// MARK: - The database

extension Watch {
    /// Follows the feed's table until it is cancelled. A database that does not answer is asked again.
    func followDatabase(_ pool: PostgresPool) async {
        while !Task.isCancelled {
            _ = try? await learn(pool)
            try? await Task.sleep(for: .milliseconds(40))
        }
    }

    /// Reads what is new; the head after it.
    @discardableResult
    func learn(_ pool: PostgresPool) async throws -> UInt64 {
        let last = state.withLock { $0.ledger.head }
        let rows = try await pool.query(
            "SELECT position, kind, data FROM feed WHERE position > \(last) ORDER BY position LIMIT 1000")
        let now = ContinuousClock.now
        let envelopes = try rows.map { row in
            EventEnvelope(
                position: try row.value("position", as: UInt64.self), kind: try row.value("kind"),
                data: try row.value("data"))
        }
        return state.withLock { state in
            // Two readers may have asked at once.
            for envelope in envelopes where envelope.position > state.ledger.head {
                state.ledger.learn(envelope, at: now)
            }
            return state.ledger.head
        }
    }
}

// MARK: - Clients

extension Watch {
    /// What a client of an edge reads over and over.
    struct Question: Sendable {
        /// `main/keel-1`; the index file `main/index/ke/el/keel-1`.
        let file: String
        let path: String

        init(_ repository: String, _ crate: String) throws {
            file = "\(repository)/\(crate)"
            path = "/\(repository)/index/\(try CrateName(crate).indexPath)"
        }
    }

    /// Reads index files, one after the other, until it is cancelled.
    func readIndex(of edge: LiveEdge, _ questions: [Question]) async {
        while !Task.isCancelled {
            await noteApplied(edge)
            for question in questions {
                await read(question, at: edge)
            }
            try? await Task.sleep(for: .milliseconds(100))
        }
    }

    @discardableResult
    func read(_ question: Question, at edge: LiveEdge) async -> HTTPAnswer? {
        let (askedAt, applied) = (ContinuousClock.now, applied(by: edge.name))
        guard let answer = await ask(edge, question.path, as: "index \(edge.name)") else { return nil }
        let tag = answer.header("etag").flatMap { EntityTag(parsing: $0) }
        let read = Ledger.Read(
            edge: edge.name, file: question.file, askedAt: askedAt, applied: applied, status: answer.status,
            cache: answer.header("x-cache") ?? "", generation: tag?.generation ?? 0, sha256: sha256(answer.body))
        state.withLock { $0.reads.append(read) }
        if ![200, 404, 503].contains(answer.status) {
            object("\(edge.name) said \(answer.status) to \(question.path): \(answer.text.prefix(200))")
        }
        return answer
    }

    /// Downloads what was published, newest first, until it is cancelled (I8, I11).
    func download(from edge: LiveEdge) async {
        var round = 0
        while !Task.isCancelled {
            let shelf = state.withLock { $0.shelf }
            if !shelf.isEmpty {
                let wanted = shelf[shelf.count - 1 - round % shelf.count]
                if let answer = await ask(edge, wanted.path, as: "crate \(edge.name)") {
                    switch answer.status {
                    case 200 where sha256(answer.body) != wanted.sha256:
                        object("I8: \(edge.name) sent other bytes as \(wanted.path)")
                    case 200, 503: break
                    default: object("I11: \(edge.name) said \(answer.status) to \(wanted.path)")
                    }
                }
                round += 1
            }
            try? await Task.sleep(for: .milliseconds(150))
        }
    }

    /// Asks for a private file with a good token and without one, until it is cancelled (I7).
    func knock(at edge: LiveEdge, _ question: Question, token: String) async {
        while !Task.isCancelled {
            if let answer = await ask(edge, question.path, as: "stranger \(edge.name)"),
                ![401, 403, 404, 503].contains(answer.status)
            {
                object("I7: \(edge.name) said \(answer.status) to a stranger")
            }
            let headers = [("authorization", token)]
            if let answer = await ask(edge, question.path, headers: headers, as: "member \(edge.name)"),
                ![200, 503].contains(answer.status)
            {
                object("\(edge.name) said \(answer.status) to a good token: \(answer.text.prefix(200))")
            }
            try? await Task.sleep(for: .milliseconds(200))
        }
    }

    /// One request; its answer is counted. Nil: there was none, which is wrong unless the part may be down.
    func ask(
        _ edge: LiveEdge, _ path: String, headers: [(String, String)] = [], as client: String
    ) async -> HTTPAnswer? {
        do {
            let answer = try await httpCall("GET", edge.url + path, headers: headers, seconds: 30)
            let cache = answer.status == 200 ? answer.header("x-cache").map { " \($0)" } ?? "" : ""
            saw("\(answer.status)\(cache)", as: client)
            return answer
        } catch {
            guard !Task.isCancelled else { return nil }
            saw("none", as: client)
            if !state.withLock({ $0.mayBeDown.contains(edge.name) }) {
                object("\(edge.name) gave no answer to \(path): \(error)")
            }
            return nil
        }
    }
}

// MARK: - What an edge says of itself

/// The figures of an edge's `/metrics` that a scenario looks at.
struct EdgeFigures: Sendable {
    let isFresh: Bool
    let position: UInt64

    init?(_ text: String) {
        func value(_ metric: String) -> Double? {
            text.split(separator: "\n").first { $0.hasPrefix(metric + " ") || $0.hasPrefix(metric + "{") }
                .flatMap { $0.split(separator: " ").last }.flatMap { Double($0) }
        }
        guard let fresh = value("longshore_feed_fresh"), let position = value("longshore_feed_position") else {
            return nil
        }
        (isFresh, self.position) = (fresh == 1, UInt64(position))
    }
}

extension Watch {
    /// The edge's own word on how far it is; nil while it is silent.
    @discardableResult
    func noteApplied(_ edge: LiveEdge) async -> EdgeFigures? {
        guard let answer = try? await httpCall("GET", edge.managementURL + "/metrics", seconds: 5),
            let figures = EdgeFigures(answer.text)
        else { return nil }
        state.withLock { $0.applied[edge.name] = max($0.applied[edge.name] ?? 0, figures.position) }
        return figures
    }
}

func sha256(_ body: ByteBuffer) -> String { sha256(body.readableBytesView) }

func sha256(_ bytes: some Sequence<UInt8>) -> String {
    SHA256.hash(data: Array(bytes)).map { byte in
        String(byte >> 4, radix: 16) + String(byte & 15, radix: 16)
    }.joined()
}
