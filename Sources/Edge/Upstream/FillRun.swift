import EdgeCache
import Hosting
import Metrics
import NIOCore
import Registry
import Synchronization

/// What comes of one question for a closure, from all its parts, on its way into the cache.
final class FillRun: Sendable {
    let ticket: FillTicket
    private let desk: CacheDesk
    private let responses: Responses
    private let assembly: Mutex<FillAssembly<File>>

    struct File: Sendable {
        let path: IndexPath
        let tag: EntityTag
        let body: ByteBuffer
        /// `body` as it came, if it came packed.
        let packed: ByteBuffer?
    }

    init(ticket: FillTicket, desk: CacheDesk, responses: Responses, parts: Int) {
        self.ticket = ticket
        self.desk = desk
        self.responses = responses
        assembly = Mutex(FillAssembly(parts: parts))
    }

    /// An answer began as a closure, so the origin knows such questions.
    var hasBegun: Bool { assembly.withLock { $0.hasBegun } }

    func take(_ part: ClosureReader.Part, _ position: UInt64) throws {
        switch part {
        case .list(let list):
            let items = list.items.map { item in FillItem(.index(ticket.repository, item.path), item.state.cached) }
            let bytes = list.fileBytes
            guard let whole = try assembly.withLock({ try $0.list(items, bytes: bytes, position) }) else { return }
            count(desk.announced(ticket, whole.items, position: whole.position))
            assembly.withLock { $0.announced() }.forEach(keep)
        case .file(let path, let tag, let body):
            try check(File(path: path, tag: tag, body: body, packed: nil))
        case .packed(let path, let tag, let bytes, let piece, let part):
            guard let member = try whole(path, tag, piece, part) else { return }
            guard let body = GzipBody.expand(member, bytes: bytes) else {
                throw UpstreamError(fault: .protocolBroken, detail: "an index file that can't be expanded")
            }
            try check(File(path: path, tag: tag, body: body, packed: member))
        }
    }

    /// - Returns: nil while pieces are missing.
    private func whole(
        _ path: IndexPath, _ tag: EntityTag, _ piece: ClosurePiece?, _ part: ByteBuffer
    ) throws -> ByteBuffer? {
        guard let piece else { return part }
        return try assembly.withLock { try $0.piece(.init(path: path, tag: tag, count: piece.count), piece, part) }
    }

    private func check(_ file: File) throws {
        guard Checksum(of: file.body) == file.tag.checksum else {
            throw UpstreamError(fault: .protocolBroken, detail: "an index file that does not fit its ETag")
        }
        if let file = assembly.withLock({ $0.file(file) }) { keep(file) }
    }

    private func keep(_ file: File) {
        Metric.fillBytes.counter().increment(by: file.body.readableBytes)
        // What came as it is gets compressed when somebody asks for it: most of it is never asked for by most clients.
        let page =
            file.packed.map { IndexPage(file.body, packed: $0, file.tag, responses) }
            ?? IndexPage(uncompressed: file.body, file.tag, responses)
        let isWanted = desk.filled(ticket.id, .index(ticket.repository, file.path), page.value)
        Metric.fillFiles.counter(["result": isWanted ? "came" : "unwanted"]).increment()
    }

    private func count(_ figures: FillFigures) {
        for (result, count) in [
            ("absent", figures.absent), ("held", figures.held), ("overtaken", figures.overtaken),
        ] where count > 0 {
            Metric.fillFiles.counter(["result": result]).increment(by: count)
        }
    }
}

extension ClosureList.State {
    fileprivate var cached: FillItem.State {
        switch self {
        case .absent: .absent
        case .same(let tag): .same(tag)
        case .file(let tag, _), .piece(let tag, _, _): .file(tag)
        }
    }
}
