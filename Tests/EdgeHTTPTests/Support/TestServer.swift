import EdgeHTTP
import Logging
import NIOCore
import TestSupport
import Testing

/// A server on free ports for one test, with a file of its own and a certificate.
struct TestServer: Sendable {
    let server: EdgeServer
    let handler: ScriptedHandler
    let folder: String
    let port: Int
    /// 0 without TLS.
    let tlsPort: Int

    var plain: String { "http://127.0.0.1:\(port)" }
    var secure: String { "https://127.0.0.1:\(tlsPort)" }
    var file: String { folder + "/file" }

    func connect() throws -> RawConnection { try RawConnection(port: port) }

    /// Over TLS with this ALPN name, or without TLS.
    func connect(secure name: String?) async throws -> any RawClient {
        if let name { try await RawTLSConnection(port: tlsPort, protocol: name) } else { try connect() }
    }

    /// Stops the server beside the test, with ten seconds of grace.
    func stopping() -> Task<Void, Never> {
        let server = server
        return Task { await server.stop(grace: .seconds(10)) }
    }
}

/// Runs a server while `body` runs, then stops it.
func withServer(
    tls: Bool = false, fileBytes: Int = 0, glances: Bool = true, observer: KeepingObserver? = nil,
    _ change: (inout EdgeServerConfiguration) -> Void = { _ in }, _ body: (TestServer) async throws -> Void
) async throws {
    try await withTemporaryFolder("edgehttp") { folder in
        var listeners = [EdgeServerConfiguration.Listener(host: "127.0.0.1", port: 0)]
        if tls {
            try await makeCertificate(in: folder)
            let files = EdgeServerConfiguration.TLS(
                certificateChainFile: folder + "/cert.pem", privateKeyFile: folder + "/key.pem")
            listeners.append(.init(host: "127.0.0.1", port: 0, tls: files))
        }
        var configuration = EdgeServerConfiguration(listeners: listeners)
        configuration.tickTime = .milliseconds(20)
        change(&configuration)
        // Not made here: fifty random megabytes take a debug build longer than all tests.
        _ = try await runTool("bash", ["-c", "head -c \(fileBytes) /dev/urandom > \(folder)/file"])
        let handler = ScriptedHandler(file: folder + "/file", fileBytes: fileBytes, glances: glances)
        let server = EdgeServer(
            configuration: configuration, handler: handler,
            logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }), observer: observer)
        try await server.start()
        let ports = server.boundAddresses.map { $0.port ?? 0 }
        let running = TestServer(
            server: server, handler: handler, folder: folder, port: ports[0], tlsPort: tls ? ports[1] : 0)
        do { try await body(running) } catch {
            await server.stop(grace: .zero)
            throw error
        }
        await server.stop(grace: .zero)
    }
}

private func makeCertificate(in folder: String) async throws {
    let made = try await runTool(
        "openssl",
        [
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
            "-keyout", "key.pem", "-out", "cert.pem", "-subj", "/CN=localhost", "-addext",
            "subjectAltName=IP:127.0.0.1,DNS:localhost",
        ], in: folder)
    try #require(made.status == 0, "openssl (package openssl) must make a certificate: \(made.errors)")
}

/// Runs a program that must be installed; says which package has it if it is not.
func runNeeded(_ name: String, of package: String, _ arguments: [String]) async throws -> ToolResult {
    let result = try await runTool(name, arguments, seconds: 60)
    try #require(result.status != 127, "`\(name)` is missing: install the package \(package)")
    return result
}

func curl(_ arguments: String...) async throws -> ToolResult {
    try await runNeeded("curl", of: "curl", ["-sS", "-m", "30"] + arguments)
}

/// Waits until a fact holds that becomes true by itself soon; the limit only ends tests that would fail anyway.
func eventually(_ what: String, _ holds: () -> Bool) async throws {
    for _ in 0..<2000 where !holds() { try await Task.sleep(for: .milliseconds(5)) }
    #expect(holds(), "\(what)")
}
