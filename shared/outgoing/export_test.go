package outgoing

// TransportAsking is Transport with another resolver of names.
var TransportAsking = transport
