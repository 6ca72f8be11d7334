import CrateFile
import Crypto
import FoundationEssentials
import NIOCore
import NIOHTTP1
import Registry

/// One connection to a `ScriptedOrigin`.
final class OriginConnection: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private let origin: ScriptedOrigin
    private var head: HTTPRequestHead?
    private var body = ByteBuffer()

    init(_ origin: ScriptedOrigin) { self.origin = origin }

    func channelActive(context: ChannelHandlerContext) {
        origin.opened(context.channel)
        context.fireChannelActive()
    }

    func channelInactive(context: ChannelHandlerContext) {
        origin.closed(context.channel)
        context.fireChannelInactive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head): self.head = head
        case .body(var bytes): body.writeBuffer(&bytes)
        case .end:
            guard let head else { return }
            answer(head, body, on: context.channel)
            self.head = nil
            body.clear()
        }
    }

    private struct Reply {
        var status: HTTPResponseStatus = .ok
        var headers: HTTPHeaders = [:]
        var body = ByteBuffer()
        /// Announces more than it sends, and ends the connection.
        var isCut = false

        static func text(_ status: HTTPResponseStatus, _ text: String) -> Reply {
            Reply(status: status, body: ByteBuffer(string: text))
        }
    }

    private func answer(_ head: HTTPRequestHead, _ body: ByteBuffer, on channel: any Channel) {
        let path = String(head.uri.split(separator: "?").first ?? "")
        if path == EdgeWire.feedPath, origin.script.failure == nil { return feed(head, on: channel) }
        origin.note("\(head.method) \(path)")
        let script = origin.script
        var reply = reply(to: head, path, body, script)
        if let failure = script.failure {
            reply = .text(HTTPResponseStatus(statusCode: failure), "scripted to fail\n")
            reply.headers.add(name: "content-type", value: script.failureType)
        } else {
            reply.headers.add(name: EdgeWire.positionHeader, value: "\(script.head)")
        }
        reply.headers.add(name: "content-length", value: "\(reply.body.readableBytes + (reply.isCut ? 1 : 0))")
        let isHead = head.method == .HEAD
        let components = script.delay.components
        let delay = TimeAmount.nanoseconds(components.seconds * 1_000_000_000 + components.attoseconds / 1_000_000_000)
        let ready = reply
        channel.eventLoop.scheduleTask(in: delay) {
            let response = HTTPResponseHead(version: .http1_1, status: ready.status, headers: ready.headers)
            channel.write(HTTPServerResponsePart.head(response), promise: nil)
            if !isHead { channel.write(HTTPServerResponsePart.body(.byteBuffer(ready.body)), promise: nil) }
            if ready.isCut {
                channel.flush()
                channel.close(promise: nil)
            } else {
                channel.writeAndFlush(HTTPServerResponsePart.end(nil), promise: nil)
            }
        }
    }

    private func reply(
        to head: HTTPRequestHead, _ path: String, _ body: ByteBuffer, _ script: ScriptedOrigin.Script
    ) -> Reply {
        switch path {
        case EdgeWire.repositoriesPath:
            var reply = json(RepositoryList(repositories: script.repositories))
            if let parts = script.closureParts {
                reply.headers.add(name: EdgeWire.closurePartsHeader, value: "\(parts)")
            }
            return reply
        case EdgeWire.keysPath:
            return json(script.keys)
        case EdgeWire.ackPath:
            if let acknowledgement = decode(Acknowledgement.self, body) {
                origin.acknowledge(acknowledgement.position)
            }
            return Reply(status: .noContent)
        case EdgeWire.reportPath:
            if let report = decode(EdgeReport.self, body) { origin.heard(report) }
            return Reply(status: .noContent)
        case EdgeWire.accessPath:
            if let refusal = origin.refusal() {
                return .text(HTTPResponseStatus(statusCode: refusal.status), refusal.body)
            }
            guard let batch = decode(AccessBatch.self, body) else { return .text(.badRequest, "no batch\n") }
            return origin.took(batch).map(json) ?? .text(.internalServerError, "the answer is lost\n")
        case EdgeWire.introspectPath:
            let hash = decode(Introspection.Question.self, body)?.sha256 ?? ""
            return script.tokens[hash].map(json) ?? .text(.notFound, "no such token\n")
        default:
            if path.hasPrefix(EdgeWire.indexPrefix) {
                return index(String(path.dropFirst(EdgeWire.indexPrefix.count)), head, script)
            }
            if path.hasPrefix(EdgeWire.closurePrefix) {
                return closure(String(path.dropFirst(EdgeWire.closurePrefix.count)), head, body, script)
            }
            return crate(String(path.dropFirst(EdgeWire.cratesPrefix.count)), script)
        }
    }

    private func index(_ path: String, _ head: HTTPRequestHead, _ script: ScriptedOrigin.Script) -> Reply {
        guard let file = script.indexFiles[path] else { return .text(.notFound, "no such crate\n") }
        let hash = SHA256.hash(data: Array(file.text.utf8))
        guard let checksum = Checksum(bytes: hash) else { return .text(.internalServerError, "") }
        let tag = EntityTag(generation: file.generation, checksum: checksum).description
        if head.headers.first(name: "if-none-match") == tag {
            return Reply(status: .notModified, headers: ["etag": tag])
        }
        return Reply(headers: ["etag": tag], body: ByteBuffer(string: file.text))
    }

    private func closure(
        _ repository: String, _ head: HTTPRequestHead, _ body: ByteBuffer, _ script: ScriptedOrigin.Script
    ) -> Reply {
        guard let graph = script.closures, let question = ClosureQuestion(parsing: Array(body.readableBytesView)) else {
            return .text(.notFound, "no such address\n")
        }
        origin.note(question)
        var items: [ClosureList.Item] = []
        var files: [ByteBuffer] = []
        var names = question.roots.map(\.name)
        var place = 0
        while place < names.count {
            let name = names[place]
            place += 1
            names += (graph[name] ?? []).filter { !names.contains($0) }
            guard let path = try? CrateName(name).indexPath else { continue }
            guard let file = script.indexFiles["\(repository)/\(path)"],
                let checksum = Checksum(bytes: SHA256.hash(data: Array(file.text.utf8)))
            else {
                items.append(.init(path, .absent))
                continue
            }
            let tag = EntityTag(generation: file.generation, checksum: checksum)
            guard !question.held.contains(HeldMark(path, tag)) else {
                items.append(.init(path, .same(tag)))
                continue
            }
            items.append(.init(path, .file(tag, bytes: file.text.utf8.count)))
            files.append(ByteBuffer(string: file.text))
        }
        var reply = Reply()
        if script.closureParts != nil, let text = head.headers.first(name: EdgeWire.closurePartHeader) {
            guard let part = ClosurePart(parsing: text) else { return .text(.badRequest, "no part\n") }
            reply = Self.part(part, items, files, script)
        } else {
            reply.body.writeBytes(ClosureList(items).bytes)
            files.forEach { reply.body.writeImmutableBuffer($0) }
        }
        if let cut = script.cutsClosuresAfter {
            reply.body = reply.body.getSlice(at: 0, length: min(cut, reply.body.readableBytes)) ?? ByteBuffer()
            reply.isCut = true
        }
        return reply
    }

    /// One file after another goes to the next part; or a piece of each to every part.
    private static func part(
        _ part: ClosurePart, _ items: [ClosureList.Item], _ files: [ByteBuffer], _ script: ScriptedOrigin.Script
    ) -> Reply {
        var own: [ClosureList.Item] = []
        var members = ByteBuffer()
        var number = 0
        for item in items {
            guard case .file = item.state else {
                if part.index == 0 { own.append(item) }
                continue
            }
            defer { number += 1 }
            let piece = script.cutsMembers ? ClosurePiece(index: part.index, count: part.count) : nil
            guard piece != nil || number % part.count == part.index, case .file(let tag, let bytes) = item.state,
                var member = try? Gzip.compress(Array(files[number].readableBytesView))
            else { continue }
            if script.damagesMembers { member[member.count - 6] ^= 1 }
            if let piece { member = Array(member[piece.range(of: member.count)]) }
            own.append(piece.map { .init(item.path, .piece(tag, bytes: bytes, $0)) } ?? item)
            members.writeInteger(UInt32(member.count))
            members.writeBytes(member)
        }
        var reply = Reply(
            headers: [EdgeWire.closurePartHeader: "\(part)"], body: ByteBuffer(bytes: ClosureList(own).bytes))
        reply.body.writeBuffer(&members)
        return reply
    }

    private func crate(_ path: String, _ script: ScriptedOrigin.Script) -> Reply {
        if let reason = script.blocked[path] {
            var reply = Reply.text(.forbidden, reason + "\n")
            if let rule = script.blockingRule { reply.headers.add(name: EdgeWire.ruleHeader, value: rule) }
            return reply
        }
        guard var bytes = script.crates[path] else { return .text(.notFound, "no such file\n") }
        if script.damagesCrates, !bytes.isEmpty { bytes[0] ^= 1 }
        return Reply(headers: ["content-type": "application/gzip"], body: ByteBuffer(bytes: bytes))
    }

    private func feed(_ head: HTTPRequestHead, on channel: any Channel) {
        let after = head.uri.split(separator: "=").last.flatMap { UInt64($0) }
        let headers: HTTPHeaders = [
            "content-type": "text/event-stream", "transfer-encoding": "chunked", EdgeWire.streamHeader: "r1.1",
        ]
        channel.write(
            HTTPServerResponsePart.head(HTTPResponseHead(version: .http1_1, status: .ok, headers: headers)),
            promise: nil)
        ScriptedOrigin.send(origin.subscribe(channel, after: after), to: channel)
        let components = origin.script.leasePause.components
        let pause = TimeAmount.nanoseconds(components.attoseconds / 1_000_000_000)
        let origin = origin
        let leases = channel.eventLoop.scheduleRepeatedTask(initialDelay: pause, delay: pause) { _ in
            let script = origin.script
            if !script.isSilent { ScriptedOrigin.send(ScriptedOrigin.lease(script.head), to: channel) }
        }
        channel.closeFuture.whenComplete { _ in leases.cancel() }
    }

    private func json(_ shape: some Encodable) -> Reply {
        guard let data = try? JSONEncoder().encode(shape) else { return .text(.internalServerError, "") }
        return Reply(headers: ["content-type": "application/json"], body: ByteBuffer(bytes: data))
    }

    private func decode<Shape: Decodable>(_ shape: Shape.Type, _ body: ByteBuffer) -> Shape? {
        try? JSONDecoder().decode(shape, from: Data(body.readableBytesView))
    }
}
