import Foundation
import NIOCore
import Postgres
import Synchronization
import TestSupport
import Testing

/// Changes, and what edges make of them.
extension Scene {
    /// Publishes and yanks until the scenario is over; what is answered 200 in calm times is read back at once (I10).
    func publishOn() async {
        while !state.withLock({ $0.isOver }) {
            await publishAndCheck()
            try? await Task.sleep(for: .milliseconds(150))
        }
    }

    private func publishAndCheck() async {
        let before = state.withLock { ($0.faults, $0.isCalm) }
        let lateBefore = lateLines()
        guard let made = await publisher.step(), before.1, let question = try? Watch.Question("main", made.crate)
        else { return }
        for edge in system.edges {
            let answer = await watch.read(question, at: edge)
            let line = answer.flatMap { try? Line.all(in: $0) }?.first { $0.vers == made.version }
            // Something broke meanwhile, or the origin has said in its log that it did not wait for this edge.
            let isExcused =
                state.withLock { ($0.faults, $0.isCalm) } != before
                || lateLines().dropFirst(lateBefore.count).contains { $0.contains(edge.name) }
            if line?.yanked == made.yanked {
                state.withLock { $0.writesChecked += 1 }
            } else if !isExcused {
                watch.object(
                    "I10: \(made.crate) \(made.version) was answered 200 (yanked: \(made.yanked ?? false)) and "
                        + "\(edge.name) says \(answer?.status ?? 0) \(answer?.header("x-cache") ?? "") without it")
            }
        }
    }

    private func lateLines() -> [Substring] {
        system.origins.flatMap { origin in
            let log = (try? String(contentsOfFile: origin.logPath, encoding: .utf8)) ?? ""
            return log.split(separator: "\n").filter { $0.contains("edges that have not applied position") }
        }
    }

    private struct Made: Decodable {
        struct Token: Decodable { let id: Int64 }
        let token: Token
        let secret: String
    }

    /// A token that is revoked opens nothing a second later, at edges that are connected (I7).
    func revoke(at edges: [LiveEdge]) async throws {
        let grant = #"{"name":"brief","grants":[{"actions":["read"],"repositories":["vault"],"crates":["*"]}]}"#
        let made = try await api("POST", "/api/v1/tokens", body: grant)
        try #require(made.status == 201, "\(made.text)")
        let brief = try JSONDecoder().decode(Made.self, from: Data(made.text.utf8))
        let path = try Watch.Question("vault", "pearl").path
        let headers = [("authorization", brief.secret)]
        for edge in edges {
            let answer = await watch.ask(edge, path, headers: headers, as: "brief token")
            if answer?.status != 200 { watch.object("\(edge.name) said \(answer?.status ?? 0) to a new token") }
        }
        let gone = try await api("DELETE", "/api/v1/tokens/\(brief.token.id)")
        try #require(gone.status == 200, "\(gone.text)")
        try await Task.sleep(for: .seconds(1))
        for edge in edges {
            let answer = await watch.ask(edge, path, headers: headers, as: "revoked token")
            if answer?.status != 401, answer?.status != 403 {
                watch.object("I7: \(edge.name) said \(answer?.status ?? 0) to a token revoked a second ago")
            }
        }
    }

    func api(_ method: String, _ path: String, body: String? = nil) async throws -> HTTPAnswer {
        try await httpCall(
            method, system.origins[system.origins.count - 1].url + path,
            headers: [("authorization", token), ("content-type", "application/json")],
            body: body.map { ByteBuffer(string: $0) })
    }

    /// With nothing changing any more, both edges serve the origin's bytes, and all that was answered 200 is there (I1).
    func agree(_ questions: [Watch.Question]) async throws {
        try await untilFreshAtEnd()
        let origin = system.origins[system.origins.count - 1]
        for question in questions {
            let truth = try await httpGet(origin.url + question.path)
            try #require(truth.status == 200, "\(truth.text)")
            let lines = Dictionary(grouping: try Line.all(in: truth), by: \.vers)
            for made in publisher.answered where "main/\(made.crate)" == question.file {
                let line = lines[made.version]?.first
                if line?.cksum != made.sha256 || (made.yanked != nil && line?.yanked != made.yanked) {
                    watch.object("I1: \(made.crate) \(made.version) was answered 200, and its line is \(line as Any)")
                }
            }
            for edge in system.edges {
                let held = await watch.read(question, at: edge)
                #expect(held?.body == truth.body, "\(name): \(question.file) on \(edge.name)")
                #expect(["HIT", "MISS"].contains(held?.header("x-cache") ?? ""), "\(name): \(edge.name)")
            }
        }
        let rows = try await pool.query("SELECT position FROM feed ORDER BY position")
        let positions = try rows.map { try $0.value("position", as: UInt64.self) }
        #expect(positions == Array(1...watch.ledger.head), "\(name): I3")
    }

    private func untilFreshAtEnd() async throws {
        let head = try await headNow()
        for edge in system.edges {
            try await until("\(edge.name) fresh at \(head)") {
                let figures = await self.watch.noteApplied(edge)
                return figures?.isFresh == true && figures?.position ?? 0 >= head
            }
        }
    }
}
