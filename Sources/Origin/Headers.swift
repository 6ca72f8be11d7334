import HTTPTypes
import Registry

/// Header names that are not in HTTPTypes' list. Each is a valid name, which the unwraps rest on.
extension HTTPField.Name {
    static let longshoreStream = named(EdgeWire.streamHeader)
    static let longshorePosition = named(EdgeWire.positionHeader)
    static let longshoreEdgeURL = named(EdgeWire.edgeURLHeader)
    static let longshoreClosurePart = named(EdgeWire.closurePartHeader)
    static let longshoreRule = named(EdgeWire.ruleHeader)
    static let longshoreClosureParts = named(EdgeWire.closurePartsHeader)
    static let accelBuffering = named("x-accel-buffering")

    private static func named(_ text: String) -> HTTPField.Name {
        guard let name = HTTPField.Name(text) else { preconditionFailure("\(text) is a header name") }
        return name
    }
}
