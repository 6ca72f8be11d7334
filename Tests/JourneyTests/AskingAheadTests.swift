import Foundation
import TestSupport
import Testing

/// Asking ahead over HTTP/2: nginx with TLS as the upstream, a real origin that trusts it, and an edge.
@Suite(.serialized, .enabled("needs root and nginx", { try await TLSRegistry.canRun() }))
struct AskingAheadTests {
    private static let leaves = (0..<30).map { "leaf\($0)" }
    private static let graph = ["app": leaves, "leaf0": ["deep"], "deep": ["deeper"], "deeper": []]
        .merging(leaves.dropFirst().map { ($0, []) }) { first, _ in first }

    @Test func `one question of an edge brings all that a resolver asks next, each name once and over one connection`()
        async throws
    {
        try await withTemporaryFolder("ahead") { folder in
            let registry = try await TLSRegistry(Self.graph, in: folder)
            let place = LivePlace(prefix: registry.trusting, address: "127.0.0.1")
            try await LiveSystem.with(edges: ["eu"], originPlace: place) { system in
                try await registry.serve {
                    try await system.origin.command(["repository", "create", "main"])
                    try await system.origin.command([
                        "upstream", "add", "main", "up", registry.index, "--fresh-seconds", "3600", "--allow-private",
                    ])
                    #expect(try await system.edges[0].get("/main/index/3/a/app").status == 200)
                    for _ in 0..<600 where try registry.requests().count < Self.graph.count {
                        try await Task.sleep(for: .milliseconds(100))
                    }
                }
                let requests = try registry.requests()
                #expect(requests.map(\.name).sorted() == Self.graph.keys.sorted())
                #expect(Set(requests.map(\.protocolName)) == ["HTTP/2.0"])
                #expect(Set(requests.map(\.connection)).count == 1)
                // The upstream is gone: what it said is written, or is about to be.
                for name in Self.graph.keys where name.count > 3 {
                    let path = "\(name.prefix(2))/\(name.dropFirst(2).prefix(2))/\(name)"
                    #expect(try await system.edges[0].get("/main/index/\(path)").status == 200, "\(name)")
                }
            }
        }
    }
}

/// nginx with TLS and HTTP/2 on index files that are made for it.
private struct TLSRegistry {
    struct Request {
        let connection: String
        let protocolName: String
        let name: String
    }

    private let folder: String
    private let port: Int
    private let authority: TestAuthority

    var index: String { "sparse+https://127.0.0.1:\(port)/index/" }

    static func canRun() async throws -> Bool {
        guard try await SmallDisk.isPossible() else { return false }
        return try await runTool("sh", ["-c", "command -v nginx"]).status == 0
    }

    /// What stands before a program so that its system trusts this registry.
    var trusting: [String] {
        let script = "mount --bind \"$0\" /etc/ssl/certs/ca-certificates.crt && exec \"$@\""
        return ["unshare", "-m", "sh", "-c", script, authority.certificate]
    }

    /// - Parameter graph: what each crate needs.
    init(_ graph: [String: [String]], in folder: String) async throws {
        self.folder = folder
        port = try freePort()
        authority = try await TestAuthority(in: folder, names: ["IP:127.0.0.1"])
        for (name, needs) in graph { try write(name, needs) }
        let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map { "\($0)_temp_path \(folder)/\($0);" }.joined(separator: " ")
        try """
        user root; daemon off; pid \(folder)/nginx.pid; error_log \(folder)/nginx.log; events {}
        http {
          log_format line '$connection $server_protocol $status $uri'; access_log \(folder)/access.log line; \(temporary)
          server {
            listen 127.0.0.1:\(port) ssl http2; root \(folder);
            ssl_certificate \(authority.serverCertificate); ssl_certificate_key \(authority.serverKey);
          }
        }
        """.write(toFile: folder + "/nginx.conf", atomically: true, encoding: .utf8)
    }

    private func write(_ name: String, _ needs: [String]) throws {
        let needs = needs.map {
            #"{"name":"\#($0)","req":"^1","features":[],"optional":false,"default_features":true,"target":null,"kind":"normal"}"#
        }
        let line = """
            {"name":"\(name)","vers":"1.0.0","deps":[\(needs.joined(separator: ","))],\
            "cksum":"\(String(repeating: "ab", count: 32))","features":{},"yanked":false}

            """
        let parent = name.count == 3 ? "3/\(name.prefix(1))" : "\(name.prefix(2))/\(name.dropFirst(2).prefix(2))"
        let place = "\(folder)/index/\(parent)"
        try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: true)
        try line.write(toFile: "\(place)/\(name)", atomically: true, encoding: .utf8)
    }

    /// Runs nginx while `body` runs.
    func serve(_ body: () async throws -> Void) async throws {
        // Any answer will do; it is no index file.
        let url = "https://127.0.0.1:\(port)/"
        try await RunningNginx.with(
            configurationIn: folder,
            isReady: { try await runTool("curl", ["-sko", "/dev/null", url]).status == 0 }, body)
    }

    /// Index files that were answered.
    func requests() throws -> [Request] {
        try String(contentsOfFile: folder + "/access.log", encoding: .utf8).split(separator: "\n").compactMap { line in
            let words = line.split(separator: " ").map(String.init)
            guard words.count == 4, words[2] == "200", words[3].hasPrefix("/index/") else { return nil }
            return Request(
                connection: words[0], protocolName: words[1],
                name: words[3].split(separator: "/").last.map(String.init) ?? "")
        }
    }
}
