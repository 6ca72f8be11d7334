import Crypto

/// What a receiver checks: that the origin sent this body, and when.
///
/// `longshore-signature: t=1764028800,v1=HEX`; HEX is HMAC-SHA256 with the webhook's secret (its text, as bytes) over
/// `1764028800.BODY`. A receiver compares in constant time, and refuses what is older than a few minutes, so that a
/// message that somebody has kept is not taken again.
enum WebhookSignature {
    static let header = "longshore-signature"

    /// - Parameter now: seconds since 1970.
    static func value(of body: String, secret: [UInt8], now: Int) -> String {
        let code = HMAC<SHA256>.authenticationCode(
            for: Array("\(now).\(body)".utf8), using: SymmetricKey(data: secret))
        let hex = code.map { byte in String(byte >> 4, radix: 16) + String(byte & 15, radix: 16) }.joined()
        return "t=\(now),v1=\(hex)"
    }
}
