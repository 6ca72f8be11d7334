import AsyncHTTPClient
import Crypto
import Foundation
import NIOCore
import NIOHTTP1
import Registry
import TestSupport
import Testing

/// Publishes made crates with plain HTTP requests, many at once, and reads back what the registry says of them.
struct Registrar: Sendable {
    let token: String

    /// A token that may do everything a publisher does in `main`.
    init(_ origin: LiveOrigin, makesRepository: Bool = true) async throws {
        if makesRepository { try await origin.command(["repository", "create", "main"]) }
        token = try await origin.token(
            "ann",
            ["read", "publish-new", "publish-update", "yank"].flatMap { ["--action", $0] } + ["--repository", "main"])
    }

    /// - Throws: what the connection met; an answer, whatever its status, is returned.
    func publish(_ crate: MadeCrate, to url: String) async throws -> HTTPAnswer {
        try await httpCall(
            "PUT", url + "/main/api/v1/crates/new", headers: [("authorization", token)],
            body: ByteBuffer(bytes: try crate.publishBody()), seconds: 30)
    }
}

/// One line of an index file, as far as these tests look at it.
struct Line: Decodable, Hashable {
    let vers: String
    let cksum: String
    let yanked: Bool

    static func all(in answer: HTTPAnswer) throws -> [Line] {
        let text = answer.text
        try #require(text.isEmpty || text.hasSuffix("\n"))
        return try text.split(separator: "\n").map { try JSONDecoder().decode(Line.self, from: Data($0.utf8)) }
    }
}

func sha256(_ bytes: some Sequence<UInt8>) -> String { "\(Checksum(bytes: SHA256.hash(data: Array(bytes)))!)" }

/// The positions of all events that the origin's feed holds, in the order in which they are sent.
///
/// Reads until a `lease` says that no more are to come.
func feedPositions(_ url: String, credential: String) async throws -> [UInt64] {
    var request = HTTPClientRequest(url: url + "/edge/v1/feed?after=0")
    request.headers.add(name: "authorization", value: "Bearer \(credential)")
    let response = try await HTTPClient.shared.execute(request, timeout: .seconds(60))
    try #require(response.status == .ok)
    var positions: [UInt64] = []
    var line: [UInt8] = []
    for try await chunk in response.body {
        for byte in chunk.readableBytesView {
            guard byte == UInt8(ascii: "\n") else {
                line.append(byte)
                continue
            }
            let text = String(decoding: line, as: UTF8.self)
            line = []
            if text.hasPrefix("id:"), let position = UInt64(text.dropFirst(3).filter { $0 != " " }) {
                positions.append(position)
            } else if text.contains("\"head\":\(positions.last ?? 0),")
                || text.contains("\"head\":\(positions.last ?? 0)}")
            {
                return positions
            }
        }
    }
    return positions
}

/// The peak of a process's resident memory, in bytes.
func peakMemory(_ process: ServerProcess?) throws -> Int {
    let pid = try #require(process?.pid)
    let status = try String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8)
    let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") })
    return try #require(Int(line.filter(\.isNumber))) << 10
}

/// The seed of a test's random choices: printed, and taken from `LONGSHORE_TEST_SEED` to repeat a run.
struct SeededNumbers: RandomNumberGenerator {
    private var state: UInt64

    init(_ test: String) {
        let given = ProcessInfo.processInfo.environment["LONGSHORE_TEST_SEED"].flatMap { UInt64($0) }
        state = given ?? UInt64.random(in: .min ... .max)
        print("\(test): LONGSHORE_TEST_SEED=\(state)")
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
