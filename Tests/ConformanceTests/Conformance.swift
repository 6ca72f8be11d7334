import Foundation
import NIOCore
import Registry
import TestSupport
import Testing

/// The numbered cases of docs/PROTOCOL.md, asked of real processes: one origin and two edges for all suites in here.
///
/// Each test's name begins with its number. What concerns reads is asked of the origin and of both edges. Cases
/// that need processes to stop, or files of megabytes, have registries of their own: `Outages`, `Large`.
///
/// | left out here                    | because                                                                     |
/// |----------------------------------|-----------------------------------------------------------------------------|
/// | A23, C11                         | they need a server that misbehaves; `LimitTests` of EdgeHTTP has C11        |
/// | A29, A34                         | they need small limits and exact bytes: `LimitTests`, `StopTests` of EdgeHTTP |
/// | C5, C7, C8, E14                  | policy, signed URLs and rates come with later issues                        |
/// | C16                              | a version can't be deleted yet                                              |
/// | D8                               | a public repository does not ask for tokens here                            |
/// | D20, J                           | there is no git index                                                       |
/// | F20, where the name is well-formed | other crates may be published later, so dependencies are not looked up (F19) |
/// | F23                              | READMEs are not shown yet                                                   |
/// | I4                               | JourneyTests publish such workspaces                                        |
/// | I11                              | an edge makes its own requests and passes none on; A26 asks for the upgrade |
@Suite(.liveRegistry) struct Conformance {}

/// The registry that all cases share: repositories `main` (public), `secret` and `other` (private).
struct Live: Sendable {
    @TaskLocal static var current: Live?

    let system: LiveSystem
    /// May do everything everywhere.
    let admin: String
    /// Publishes and reads everywhere; its login is `ann`.
    let ann: String

    static var here: Live {
        get throws { try #require(current, "the suite has no registry: `.liveRegistry` is missing") }
    }

    init(_ system: LiveSystem) async throws {
        self.system = system
        try await system.origin.command(["repository", "create", "main"])
        try await system.origin.command(["repository", "create", "secret", "--private"])
        try await system.origin.command(["repository", "create", "other", "--private"])
        admin = try await system.origin.token("root", ["--action", "admin"])
        ann = try await system.origin.token(
            "ann", ["read", "publish-new", "publish-update", "yank", "owners"].flatMap { ["--action", $0] })
    }

    var origin: String { system.origin.url }
    /// The places that answer reads, by name.
    var places: [(name: String, url: String)] { [("origin", origin)] + system.edges.map { ($0.name, $0.url) } }
}

/// Starts the programs before the first case of a suite and stops them after the last one.
struct LiveRegistry: SuiteTrait, TestScoping {
    func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
    ) async throws {
        try await LiveSystem.with { system in
            let live = try await Live(system)
            try await Live.$current.withValue(live) { try await function() }
        }
    }
}

extension Trait where Self == LiveRegistry {
    static var liveRegistry: LiveRegistry { LiveRegistry() }
}

// MARK: - Asking

/// What one place said; `place` goes into the message of a failed expectation.
struct Said: Sendable {
    let place: String
    let answer: HTTPAnswer

    var status: Int { answer.status }
    var text: String { answer.text }
    /// For messages.
    var all: Comment { "\(place): \(answer.status) \(answer.headers) \(answer.text.prefix(2000))" }

    subscript(header: String) -> String? { answer.header(header) }
}

extension Live {
    /// The same read of the origin and of both edges.
    func read(_ path: String, _ headers: [(String, String)] = [], method: String = "GET") async throws -> [Said] {
        var said: [Said] = []
        for place in places {
            let answer = try await httpCall(method, place.url + path, headers: headers)
            said.append(Said(place: place.name, answer: answer))
        }
        return said
    }

    /// A crate's index file, everywhere.
    func index(
        _ name: String, in repository: String = "main", _ headers: [(String, String)] = [], method: String = "GET"
    ) async throws -> [Said] {
        try await read("/\(repository)/index/\(try CrateName(name).indexPath)", headers, method: method)
    }

    /// The client library asks for gzip by itself, and gives up if a file shrinks to a 25th.
    static let asItIs = [("accept-encoding", "identity")]

    /// The lines of a crate's index file, which must be the same everywhere.
    func lines(_ name: String, in repository: String = "main") async throws -> [IndexObject] {
        let authorization = repository == "main" ? [] : [("authorization", ann)]
        let files = try await index(name, in: repository, authorization + Self.asItIs)
        for file in files { #expect(file.status == 200 && file.text == files[0].text, file.all) }
        return try files[0].text.split(separator: "\n").map { line in
            try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? IndexObject)
        }
    }

    func api(
        _ method: String, _ path: String, as token: String? = nil, body: [UInt8]? = nil,
        headers: [(String, String)] = [], in repository: String = "main"
    ) async throws -> Said {
        let authorization = token.map { [("authorization", $0)] } ?? []
        let answer = try await httpCall(
            method, "\(origin)/\(repository)/api/v1/\(path)", headers: authorization + headers,
            body: body.map { ByteBuffer(bytes: $0) })
        return Said(place: "origin", answer: answer)
    }

    /// Tries to publish, as `ann` unless said otherwise.
    func publish(
        _ crate: MadeCrate, as token: String? = nil, in repository: String = "main"
    ) async throws -> Said {
        try await publish(body: try crate.publishBody(), as: token, in: repository)
    }

    func publish(
        body: [UInt8], as token: String? = nil, in repository: String = "main", headers: [(String, String)] = []
    ) async throws -> Said {
        try await api("PUT", "crates/new", as: token ?? ann, body: body, headers: headers, in: repository)
    }

    /// Publishes, and fails the test if that is refused.
    func have(_ crates: MadeCrate..., in repository: String = "main") async throws {
        for crate in crates {
            let said = try await publish(crate, in: repository)
            try #require(said.status == 200, said.all)
        }
    }

    /// - Parameter seconds: nil for a token without an end.
    func token(
        _ login: String, _ actions: [String], in repositories: [String], seconds: Int? = nil
    ) async throws -> (id: Int, secret: String) {
        var wanted: [String: Any] = [
            "login": login, "name": "test",
            "grants": [["actions": actions, "repositories": repositories, "crates": ["*"]]],
        ]
        wanted["expires_in"] = seconds
        let answer = try await httpCall(
            "POST", "\(origin)/api/v1/tokens", headers: [("authorization", admin)],
            body: ByteBuffer(bytes: try JSONSerialization.data(withJSONObject: wanted)))
        let made = try JSONSerialization.jsonObject(with: Data(answer.text.utf8)) as? [String: Any]
        let record = try #require(made?["token"] as? [String: Any], "\(answer.status) \(answer.text)")
        return (try #require(record["id"] as? Int), try #require(made?["secret"] as? String))
    }
}

typealias IndexObject = [String: Any]

/// The `detail` texts of an API refusal; nil if the body has not the one shape that cargo recognises.
func details(_ said: Said) -> [String]? {
    let object = try? JSONSerialization.jsonObject(with: Data(said.text.utf8)) as? [String: Any]
    let errors = object?["errors"] as? [[String: Any]]
    return errors?.compactMap { $0["detail"] as? String }
}

/// Expects a refusal in the form of the API.
func expectRefused(
    _ said: Said, _ status: Int, _ words: String, at location: SourceLocation = #_sourceLocation
) {
    #expect(said.status == status, said.all, sourceLocation: location)
    let told = details(said) ?? []
    #expect(told.count == 1 && told[0].contains(words), "want `\(words)`; \(said.all)", sourceLocation: location)
}
