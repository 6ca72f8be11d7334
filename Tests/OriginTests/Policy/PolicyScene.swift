import Foundation
import NIOCore
import PolicyRules
import Postgres
import Registry
import TestSupport
import Testing

@testable import Origin

/// An origin with one repository, rules for it, and a publisher.
struct PolicyScene: Sendable {
    let origin: TestOrigin
    let repository: Repository
    let token: String

    static func with(_ body: @Sendable @escaping (PolicyScene) async throws -> Void) async throws {
        try await TestOrigin.with { origin in
            let repository = try await origin.repository("main")
            let token = try await origin.token("ann", [.publishNew, .publishUpdate, .yank])
            try await body(PolicyScene(origin: origin, repository: repository, token: token))
        }
    }

    /// Rules of one kind each, behind `ask`.
    static func rules(_ rules: String, head: String = "") -> String {
        "format = 1\nask = \"#rust-policy\"\n\(head)\n\(rules)"
    }

    static let noGPL = """
        [[rule]]
        name = "no-gpl"
        decision = "block"
        reason = "we ship no copyleft"
        when.licenses = { deny = ["GPL-*"] }
        """

    static func cooldown(_ span: String = "3d") -> String {
        """
        [[rule]]
        name = "cooldown"
        decision = "quarantine"
        reason = "it is too new"
        when.younger-than = "\(span)"
        """
    }

    @discardableResult
    func set(_ rules: String?, head: String = "") async throws -> Int {
        let text = rules.map { Self.rules($0, head: head) }
        if let text { _ = try PolicyFile(parsing: text) }
        let number = try await origin.slices.policies.set(text, of: repository, by: .commandLine)
        while try await !origin.slices.policies.judgeAnew(in: repository).isLast {}
        return number
    }

    func publish(_ made: MadeCrate) async throws {
        let answer = try await httpCall(
            "PUT", origin.url + "/main/api/v1/crates/new", headers: [("authorization", token)],
            body: .init(bytes: try made.publishBody()))
        #expect(answer.status == 200, "\(answer.text)")
    }

    func index(_ name: String) async throws -> String {
        try await origin.call("GET", "/main/index/\(CrateName(name).indexPath)").text
    }

    /// By number: yanked or not.
    func yanks(_ name: String) async throws -> [String: Bool] {
        try await index(name).split(separator: "\n").reduce(into: [:]) { yanks, text in
            let line = try IndexLine(parsing: String(text))
            yanks[line.version.description] = line.isYanked
        }
    }

    func download(_ name: String, _ version: String) async throws -> HTTPAnswer {
        try await origin.call("GET", "/main/dl/\(name)/\(version)/download")
    }

    func explain(_ name: String, _ version: String) async throws -> PolicyStore.Standing {
        try await origin.slices.policies.explain(.init(CrateName(name), Version(version)), in: repository).standing
    }

    /// Actions in the audit log that begin with `policy.`, the oldest first: the rule and the detail.
    func audit() async throws -> [AuditLine] {
        try await origin.slices.auditTrail.list(AuditFilter(after: 0, limit: 1_000))
            .filter { $0.action.hasPrefix("policy.") }
    }

    /// Waits until `isSo`, for ten seconds at most.
    func eventually(_ what: String, _ isSo: () async throws -> Bool) async throws {
        for _ in 0..<200 {
            if try await isSo() { return }
            try await Task.sleep(for: .milliseconds(50))
        }
        Issue.record("not after ten seconds: \(what)")
    }
}
