"""Space: weights, Moran's I of whole panels, clusters through time, gravity centres."""
