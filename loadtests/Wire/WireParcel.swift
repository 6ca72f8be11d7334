import CNghttp2
import NIOCore

/// A request in the forms in which it leaves, made when first needed and sent any number of times.
///
/// Confined to one event loop.
final class WireParcel {
    let request: WireRequest
    private let authority: String

    private(set) lazy var http1 = head(upgrade: false)
    private(set) lazy var upgrade = head(upgrade: true)
    private(set) lazy var http2 = HTTP2Fields(
        [
            (":method", request.method), (":path", request.path), (":scheme", isEncrypted ? "https" : "http"),
            (":authority", authority),
        ] + request.fields + lengthField)

    private let isEncrypted: Bool

    init(_ request: WireRequest, to target: WireTarget) {
        self.request = request
        authority = target.authority
        isEncrypted = target.isEncrypted
    }

    var isHead: Bool { request.method == "HEAD" }

    private var lengthField: [(name: String, value: String)] {
        let isEmpty = request.body.readableBytes == 0
        if isEmpty, request.method != "PUT", request.method != "POST" { return [] }
        return [("content-length", "\(request.body.readableBytes)")]
    }

    /// libcurl asks for the upgrade behind its own fields and before those that cargo adds.
    private func head(upgrade: Bool) -> ByteBuffer {
        var out = ByteBuffer(string: "\(request.method) \(request.path) HTTP/1.1\r\nhost: \(authority)\r\n")
        let lastOwn = request.fields.lastIndex { $0.name == "accept-encoding" || $0.name == "user-agent" } ?? -1
        if upgrade, lastOwn < 0 { out.writeString(Self.upgradeFields) }
        for (place, field) in request.fields.enumerated() {
            out.writeString("\(field.name): \(field.value)\r\n")
            if upgrade, place == lastOwn { out.writeString(Self.upgradeFields) }
        }
        for field in lengthField { out.writeString("\(field.name): \(field.value)\r\n") }
        out.writeString("\r\n")
        out.writeImmutableBuffer(request.body)
        return out
    }

    private static let upgradeFields =
        "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: \(HTTP2Settings.upgradeText)\r\n"
}

/// Fields in the shape that libnghttp2 takes, in memory that stays where it is.
final class HTTP2Fields {
    let fields: UnsafeMutablePointer<nghttp2_nv>
    let count: Int
    private let text: UnsafeMutablePointer<UInt8>

    init(_ list: [(name: String, value: String)]) {
        let bytes = list.flatMap { Array($0.name.utf8) + Array($0.value.utf8) }
        text = .allocate(capacity: max(1, bytes.count))
        text.initialize(from: bytes, count: bytes.count)
        count = list.count
        fields = .allocate(capacity: max(1, count))
        var start = text
        for (place, field) in list.enumerated() {
            let (nameCount, valueCount) = (field.name.utf8.count, field.value.utf8.count)
            (fields + place).initialize(
                to: nghttp2_nv(
                    name: start, value: start + nameCount, namelen: nameCount, valuelen: valueCount,
                    flags: UInt8(NGHTTP2_NV_FLAG_NO_COPY_NAME.rawValue | NGHTTP2_NV_FLAG_NO_COPY_VALUE.rawValue)))
            start += nameCount + valueCount
        }
    }

    deinit {
        fields.deallocate()
        text.deallocate()
    }
}
