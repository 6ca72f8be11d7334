import EdgeCache
import NIOCore
import NIOHTTP1
import Registry

extension OriginFetch {
    /// Asks whether a download belongs to its repository, and brings the bytes along if they are not on disk.
    ///
    /// The bytes are kept only if their SHA-256 is the one in the path (I8).
    func crate(_ ticket: FetchTicket) async throws -> FetchAnswer {
        let path = String(buffer: ticket.key.bytes)
        guard let (repository, file) = EdgePath.crate(path) else {
            preconditionFailure("only canonical paths are asked")
        }
        let group = CacheGroup.version(repository, file.name, file.version)
        let answer =
            try await blobs.check(file.checksum, at: wallClock()) != nil
            ? client.read(EdgeWire.crate(repository, file), method: .HEAD)
            : bring(file, from: EdgeWire.crate(repository, file))
        switch answer.status {
        case 200: return .value(CratePass(nil).value(group: group), position: answer.position)
        case 403:
            return .value(
                CratePass(
                    .init(
                        reason: try await reason(answer, repository, file),
                        rule: answer.headers.first(name: EdgeWire.ruleHeader))
                ).value(group: group),
                position: answer.position)
        case 404: return .value(.absent(group: group), position: answer.position)
        default: throw UpstreamError(fault: .protocolBroken, detail: "status \(answer.status) for a crate")
        }
    }

    private func bring(_ file: CratePath, from path: String) async throws -> OriginAnswer {
        let writer = try blobs.writer(for: file.checksum, now: wallClock)
        do {
            let answer = try await client.stream(path) { try await writer.write($0) }
            if answer.status == 200 { _ = try await writer.finish() } else { await writer.discard() }
            return answer
        } catch {
            await writer.discard()
            switch error {
            case let error as UpstreamError: throw error
            case BlobFolder.Failure.wrongChecksum: throw UpstreamError(fault: .protocolBroken, detail: "\(error)")
            default: throw UpstreamError(fault: .edge, detail: "\(error)")
            }
        }
    }

    /// A HEAD has no body to say why.
    private func reason(
        _ answer: OriginAnswer, _ repository: RepositoryName, _ file: CratePath
    ) async throws -> String {
        var body = answer.body
        if body.readableBytes == 0 { body = try await client.read(EdgeWire.crate(repository, file)).body }
        let text = String(buffer: body).split(separator: "\n").first.map(String.init) ?? ""
        return text.isEmpty ? "this version is blocked by the policy of repository `\(repository)`" : text
    }
}
