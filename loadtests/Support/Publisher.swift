import AsyncHTTPClient
import CrateFile
import FoundationEssentials
import NIOCore
import NIOHTTP1
import Registry

/// Makes small changes in a repository with a token, as a user's cargo would.
struct Publisher: Sendable {
    let web: Web
    /// Base of the web API without a final slash: `http://127.0.0.1:8080/main`.
    let api: String
    let token: String

    /// A name that nobody has taken.
    static func freshName() -> String { "bench-" + String(UInt32.random(in: .min ... .max), radix: 16) }

    /// - Throws: `BenchFailure` with what the registry said, if it was not 200.
    func publish(_ name: String, _ version: String) async throws {
        try await change(.PUT, Self.newPath, body: try Self.upload(name, version))
    }

    /// The same, where a refusal is an answer that counts.
    ///
    /// - Throws: `BenchFailure` if there is none.
    func status(publishing name: String, _ version: String) async throws -> Int {
        try await send(.PUT, Self.newPath, body: try Self.upload(name, version)).status
    }

    private static let newPath = "/api/v1/crates/new"

    /// Yanks the version, or takes that back.
    func yank(_ name: String, _ version: String, undo: Bool) async throws {
        let path = "/api/v1/crates/\(name)/\(version)/"
        try await change(undo ? .PUT : .DELETE, path + (undo ? "unyank" : "yank"), body: [])
    }

    private func change(_ method: HTTPMethod, _ path: String, body: [UInt8]) async throws {
        let (status, said) = try await send(method, path, body: body)
        guard status == 200 else {
            throw BenchFailure(
                "\(method) \(api + path) answers \(status): \(said.prefix(200)); check the token's rights")
        }
    }

    private func send(
        _ method: HTTPMethod, _ path: String, body: [UInt8]
    ) async throws -> (status: Int, said: String) {
        var request = HTTPClientRequest(url: api + path)
        request.method = method
        request.headers.add(name: "authorization", value: token)
        if !body.isEmpty { request.body = .bytes(body) }
        return try await answer(to: request)
    }

    private func answer(to request: HTTPClientRequest) async throws -> (status: Int, said: String) {
        do {
            let response = try await web.client.execute(request, timeout: Web.answerTimeMax)
            let body = try await response.body.collect(upTo: Web.pageBytesMax)
            return (Int(response.status.code), String(buffer: body))
        } catch {
            throw BenchFailure("\(request.url) can't be reached: \(Reason.text(error)); check the address")
        }
    }

    /// The frame that `cargo publish` sends: length, JSON, length, crate.
    static func upload(_ name: String, _ version: String) throws -> [UInt8] {
        let manifest = """
            [package]
            edition = "2021"
            name = "\(name)"
            version = "\(version)"
            description = "made by longshore-bench"
            license = "MIT"

            [lib]
            path = "src/lib.rs"

            """
        let crate = try CrateWriter.crate(root: "\(name)-\(version)") { writer in
            try writer.add("Cargo.toml", manifest)
            try writer.add("src/lib.rs", "//! Made by longshore-bench.\n")
        }
        let metadata = Array(
            """
            {"name":"\(name)","vers":"\(version)","deps":[],"features":{},"authors":[],\
            "description":"made by longshore-bench","documentation":null,"homepage":null,"readme":null,\
            "readme_file":null,"keywords":[],"categories":[],"license":"MIT","license_file":null,"repository":null,\
            "badges":{},"links":null,"rust_version":null}
            """.utf8)
        return length(metadata.count) + metadata + length(crate.count) + crate
    }

    private static func length(_ count: Int) -> [UInt8] {
        (0..<4).map { UInt8(truncatingIfNeeded: count >> (8 * $0)) }
    }
}
