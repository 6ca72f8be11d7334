import Crypto
import NIOCore
import NIOPosix
import NIOSSL

/// Downloads all crates of a list at once over two connections, as cargo does for a build with a lock file.
struct FetchMaker: SessionMaker {
    let target: WireTarget
    let tls: NIOSSLContext?
    let items: [FetchItem]
    let token: String?

    private static let userAgent = "longshore-bench"
    static let wrongChecksum = "checksum differs"

    func session(
        user: Int, number: Int, intended: NIODeadline, random: inout SeededRandom
    ) async -> SessionRecord {
        let client = WireClient(target, tls: tls, on: MultiThreadedEventLoopGroup.singleton.next())
        let began = NIODeadline.now()
        let outcomes = await client.burst(items.map(request))
        var record = SessionRecord(kind: .fetch, intended: intended, began: began, ended: .now())
        record.requests = items.count
        record.rounds = 1
        record.connections = client.connectionsOpened
        await client.close()
        for (item, outcome) in zip(items, outcomes) { count(item, outcome, in: &record) }
        return record
    }

    private func request(_ item: FetchItem) -> WireRequest {
        var fields = [(name: "user-agent", value: Self.userAgent), (name: "accept", value: "*/*")]
        if let token { fields.append(("authorization", token)) }
        return WireRequest(path: item.path, fields: fields, keepsBody: item.sha256 != nil)
    }

    private func count(_ item: FetchItem, _ outcome: WireOutcome, in record: inout SessionRecord) {
        let error: String?
        switch outcome {
        case .success(let answer):
            record.bytes += answer.bodyBytes
            record.spoken.add(answer)
            record.steps.append(("crate", .nanoseconds((answer.ended - answer.sent).nanoseconds)))
            error = answer.status == 200 ? wrong(item, answer) : "status \(answer.status)"
        case .failure(let failure): error = failure.kind
        }
        guard let error else { return }
        record.errors[error, default: 0] += 1
        record.hasFailed = true
    }

    private func wrong(_ item: FetchItem, _ answer: WireAnswer) -> String? {
        guard let expected = item.sha256 else { return nil }
        var hash = SHA256()
        answer.body.withUnsafeReadableBytes { hash.update(bufferPointer: $0) }
        let digits = hash.finalize().flatMap { byte in
            [byte >> 4, byte & 15].map { Self.hex[Int($0)] }
        }
        return digits.elementsEqual(expected.utf8) ? nil : Self.wrongChecksum
    }

    private static let hex = Array("0123456789abcdef".utf8)
}
