import Facts
import Foundation
import Hummingbird
import NIOCore
import Synchronization
import TestSupport
import Testing

@testable import Origin

struct AdvisoryReaderTests {
    @Test func `an archive is read again until it was taken, then only when it changes`() async throws {
        try await withTemporaryFolder("advisories") { folder in
            let archive = try await made(folder)
            let asked = Mutex<[String?]>([])
            let router = Router()
            router.get("/db.tar.gz") { request, _ -> Response in
                let known = request.headers[.ifNoneMatch]
                asked.withLock { $0.append(known) }
                if known == "\"v1\"" { return Response(status: .notModified) }
                return Response(
                    status: .ok, headers: [.eTag: "\"v1\""], body: .init(byteBuffer: ByteBuffer(bytes: archive)))
            }
            try await serving(router) { port in
                let reader = AdvisoryReader(.url("http://127.0.0.1:\(port)/db.tar.gz"))
                for _ in 1...2 {
                    let database = try await reader.read()
                    #expect(database?.advisories.count == 1)
                }
                reader.wasTaken()
                let unchanged = try await reader.read()
                #expect(unchanged?.advisories.count == nil)
                #expect(asked.withLock { $0 } == [nil, nil, "\"v1\""])
                await #expect(throws: SourceFailure.self) {
                    try await AdvisoryReader(.url("http://127.0.0.1:\(port)/none")).read()
                }
            }
        }
    }

    @Test(arguments: ["plain text", "\u{1F}garbage"])
    func `a file that is no archive is named, and nobody is told to package a crate`(text: String) async throws {
        try await withTemporaryFolder("advisories") { folder in
            let path = folder + "/db.tar.gz"
            try text.write(toFile: path, atomically: true, encoding: .utf8)
            let error = await #expect(throws: SourceFailure.self) { try await AdvisoryReader(.path(path)).read() }
            #expect(
                error?.description.hasPrefix("\(path) is no whole archive: ") == true, "\(error?.description ?? "")")
            #expect(error?.description.contains("cargo package") == false)
        }
    }

    private func made(_ folder: String) async throws -> [UInt8] {
        let text = #"""
            {"id":"RUSTSEC-2026-0001","published":"2026-01-02T00:00:00Z","affected":[{"package":{"ecosystem":"crates.io",
            "name":"foo"},"ranges":[{"type":"SEMVER","events":[{"introduced":"0"}]}]}]}
            """#
        try text.write(toFile: folder + "/RUSTSEC-2026-0001.json", atomically: true, encoding: .utf8)
        let tar = try await runTool("tar", ["-czf", folder + "/a.tgz", "-C", folder, "RUSTSEC-2026-0001.json"])
        #expect(tar.status == 0, "\(tar.text)")
        return Array(try Data(contentsOf: URL(fileURLWithPath: folder + "/a.tgz")))
    }

    /// The port is known once the server listens.
    private func serving(
        _ router: Router<BasicRequestContext>, _ body: @escaping @Sendable (Int) async throws -> Void
    ) async throws {
        let (ports, continuation) = AsyncStream<Int>.makeStream()
        let application = Application(
            router: router, configuration: ApplicationConfiguration(address: .hostname("127.0.0.1", port: 0)),
            onServerRunning: { continuation.yield($0.localAddress?.port ?? 0) }, logger: .test)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await application.runService(gracefulShutdownSignals: []) }
            for await port in ports {
                try await body(port)
                break
            }
            group.cancelAll()
        }
    }
}
