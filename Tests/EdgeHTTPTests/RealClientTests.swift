import EdgeHTTP
import TestSupport
import Testing

/// curl and h2load, as libcurl is what cargo speaks with.
struct RealClientTests {
    enum Way: String, CaseIterable, Sendable {
        case http1 = "--http1.1"
        case upgrade = "--http2"
        case priorKnowledge = "--http2-prior-knowledge"
        case tls1, tls2

        func arguments(_ server: TestServer) -> [String] {
            switch self {
            case .http1, .upgrade, .priorKnowledge: [rawValue, server.plain]
            case .tls1: ["--http1.1", server.secure]
            case .tls2: ["--http2", server.secure]
            }
        }

        var version: String { self == .http1 || self == .tls1 ? "1.1" : "2" }
    }

    private func curl(_ way: Way, _ server: TestServer, _ path: String, _ more: String...) async throws -> ToolResult {
        let base = way.arguments(server)
        return try await runNeeded(
            "curl", of: "curl",
            ["-sS", "-m", "30", "--cacert", server.folder + "/cert.pem", base[0]] + more + [base[1] + path])
    }

    @Test(arguments: Way.allCases) func `curl gets text, HEAD and gzip`(way: Way) async throws {
        try await withServer(tls: true) { server in
            let text = try await curl(way, server, "/text", "-w", "%{http_version} %{http_code}")
            #expect(text.output == ScriptedHandler.text + "\(way.version) 200")
            let gzip = try await curl(way, server, "/text", "-H", "accept-encoding: gzip")
            #expect(gzip.output == "compressed")
            let head = try await curl(way, server, "/text", "-I")
            #expect(head.output.contains("content-length: \(ScriptedHandler.text.utf8.count)"))
            let unchanged = try await curl(way, server, "/unchanged", "-w", "%{http_code}")
            #expect(unchanged.output == "304")
            let late = try await curl(way, server, "/later/50")
            #expect(late.output.hasPrefix("/later/50\n"))
        }
    }

    @Test(arguments: Way.allCases) func `a large file arrives whole`(way: Way) async throws {
        try await withServer(tls: true, fileBytes: 50 << 20) { server in
            let copy = server.folder + "/copy"
            let got = try await curl(way, server, "/file", "-o", copy, "-w", "%{http_code}")
            #expect(got.output == "200")
            let sums = try await runNeeded("sha256sum", of: "coreutils", [server.file, copy])
            let digests = Set(sums.output.split(separator: "\n").map { $0.prefix(64) })
            #expect(digests.count == 1)
        }
    }

    @Test(arguments: Way.allCases) func `a large answer from memory arrives whole`(way: Way) async throws {
        try await withServer(tls: true) { server in
            let got = try await curl(way, server, "/large", "-o", "/dev/null", "-w", "%{size_download}")
            #expect(got.output == "\(ScriptedHandler.largeBytes)")
        }
    }

    @Test(arguments: Way.allCases) func `a file that is gone or short is 503, never a short 200`(way: Way) async throws
    {
        try await withServer(tls: true, fileBytes: 1000) { server in
            for path in ["/gone", "/short"] {
                let got = try await curl(
                    way, server, path, "-o", "/dev/null", "-w", "%{http_code} %header{retry-after}")
                #expect(got.output == "503 2")
            }
        }
    }

    // C17: many downloads at once.
    @Test(arguments: [true, false]) func `200 streams over two connections are all answered`(tls: Bool) async throws {
        try await withServer(tls: true, fileBytes: 1 << 20) { server in
            let base = tls ? server.secure : server.plain
            let result = try await runNeeded(
                "h2load", of: "nghttp2-client",
                ["-n", "200", "-c", "2", "-m", "100", base + "/file", base + "/later/20", base + "/text"])
            #expect(result.output.contains("200 succeeded, 0 failed, 0 errored"), "\(result.text)")
            #expect(server.server.figures.connectionsAccepted == 2)
        }
    }

    // Places in a table that the client does not have, or has forgotten, would be read as other fields or as an error.
    @Test(arguments: ["0", "100", "4096", "65536"]) func `a client's table may have any size`(bytes: String)
        async throws
    {
        try await withServer(tls: true) { server in
            let urls = ["/text", "/unchanged", "/echo", "/none"].map { server.secure + $0 }
            let result = try await runNeeded(
                "h2load", of: "nghttp2-client",
                ["-n", "400", "-c", "2", "-m", "10", "--header-table-size=\(bytes)"] + urls)
            #expect(result.output.contains("status codes: 200 2xx, 100 3xx, 100 4xx, 0 5xx"), "\(result.text)")
        }
    }
}
