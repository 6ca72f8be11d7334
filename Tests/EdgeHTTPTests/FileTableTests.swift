import Foundation
import TestSupport
import Testing

/// Files that stay open for the next request: never another content than what stands under the path.
struct FileTableTests {
    private static let request = "GET /file HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n"

    private static func body(_ server: TestServer) async throws -> (status: Int, bytes: [UInt8]) {
        let client = try server.connect()
        try client.send(request)
        while try await client.receive() {}
        let all = client.received
        let end = try #require(all.indices.first { all[$0...].prefix(4).elementsEqual("\r\n\r\n".utf8) })
        return (Int(String(decoding: all[9..<12], as: UTF8.self)) ?? 0, Array(all[(end + 4)...]))
    }

    @Test(arguments: [1000, 16 << 10, 100_000, 5_000_000])
    func `a file is the same from the table as from the disk`(bytes: Int) async throws {
        try await withServer(fileBytes: bytes) { server in
            let file = Array(try Data(contentsOf: URL(filePath: server.file)))
            for _ in 0..<3 { #expect(try await Self.body(server).bytes == file) }
        }
    }

    @Test func `a file that was replaced, written to or deleted is not served from the table`() async throws {
        try await withServer(fileBytes: 50_000) { server in
            _ = try await Self.body(server)
            let other = [UInt8](repeating: 7, count: 50_000)
            try Data(other).write(to: URL(filePath: server.file), options: .atomic)
            #expect(try await Self.body(server).bytes == other)
            let handle = try FileHandle(forWritingTo: URL(filePath: server.file))
            try handle.seek(toOffset: 49_999)
            try handle.write(contentsOf: [8])
            try handle.close()
            #expect(try await Self.body(server).bytes == other.dropLast() + [8])
            try cutShort(server.file)
            #expect(try await Self.body(server).status == 503)
            try FileManager.default.removeItem(atPath: server.file)
            #expect(try await Self.body(server).status == 503)
        }
    }

    private func cutShort(_ path: String) throws {
        let handle = try FileHandle(forWritingTo: URL(filePath: path))
        try handle.truncate(atOffset: 10)
        try handle.close()
    }
}
